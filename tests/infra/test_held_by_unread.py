"""A key that waits for an event that cannot be read costs one look back each time."""

from datetime import timedelta

import msgspec

from domain.names import ordering_key_of, session_stream, shard_of
from infra.by_key import ByKey
from infra.codec.unknown import Unknown
from infra.delivery import FeedLimits
from infra.held_keys import Held
from tests.support.feeding import Scripted
from tests.support.history import record

STREAM = session_stream("w", "s")
KEY = ordering_key_of(STREAM.name)


class Log:
    """A log of others' events, but for the first."""

    def __init__(self, events):
        unknown = Unknown(workspace="w", stored_type="message-added@2", raw=b"{}")
        shard = shard_of(KEY)
        self.events = [
            msgspec.structs.replace(
                each, stream=STREAM.name if not n else f"session-w+{n}", shard=shard
            )
            for n, each in enumerate(record([unknown] * events))
        ]
        self.looks = 0

    async def read_log(self, *, after, limit):
        self.looks += 1
        return self.events[after : after + limit]

    async def newest(self):
        return len(self.events)


class Ledger:
    """Notes what is held on."""

    def __init__(self):
        self.held = []

    async def hold_again(self, hold):
        self.held.append(hold)


async def test_what_follows_the_event_is_not_looked_for():
    log, ledger, scripted = Log(2_000), Ledger(), Scripted()
    held = Held(key=KEY, tenant="w", position=1, attempts=3, due_in=timedelta())
    by_key = ByKey(scripted, log, ledger, FeedLimits())
    await by_key.try_again(held, 2_000)
    [hold] = ledger.held
    assert (hold.position, hold.attempts, hold.state) == (1, 4, "retry")
    assert log.looks == 1
    assert scripted.delivered == []
