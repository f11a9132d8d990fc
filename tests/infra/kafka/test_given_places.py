"""What the group gives goes on where it stands by then: another moved it until now."""

from uuid import UUID

import msgspec
import pytest

from domain.names import session_stream
from domain.session import MessageAdded
from infra.delivery import FeedLimits
from infra.kafka.generations import Generation
from infra.kafka.inflow import Inflow
from infra.kafka.inlet import Arrived, Inlet
from infra.kafka.names import partition_of, shards_of
from infra.kafka.place import Place
from infra.kafka.shard_feed import ShardFeed
from infra.kafka.shard_ledger import ShardStanding
from infra.kafka.shard_ranges import ShardRange
from tests.support.feeding import Scripted
from tests.support.history import START, record

PATIENT = FeedLimits(idle=60.0)
TOPIC = Generation(number=1, topic="t", partitions=2, state="serving")
OURS, GIVEN = (Place("t", part) for part in range(2))


class Ledger:
    """Keeps ranges in memory; others may move them, too."""

    def __init__(self):
        self.at = {shards_of(each.part, 2).start: 0 for each in (OURS, GIVEN)}

    async def standing(self):
        ranges = [ShardRange(low, low + 512, at) for low, at in self.at.items()]
        return ShardStanding(ranges, {})

    async def advance(self, moves, holds=(), passed_over=()):
        assert not holds
        assert not passed_over
        moved = [
            each for each in moves if self.at[each.range.low] == each.range.position
        ]
        self.at |= {each.range.low: each.through for each in moved}
        return [each.range.low for each in moved]


class Log:
    """Has what is asked of it, by shards."""

    def __init__(self):
        self.events = []

    def heard(self, position):
        assert position

    async def read_shards(self, shards, *, after, through, limit):
        assert limit
        at = range(after + 1, through + 1)
        found = [e for e in self.events if e.position in at and e.shard in shards]
        return found, through

    async def event_at(self, position):
        return UUID(int=position), None


class Worker:
    """One feed, and what it has of the topic."""

    def __init__(self):
        self.log, self.ledger, self.scripted = Log(), Ledger(), Scripted()
        self.inflow = Inflow(None, self.log, None)
        self.inflow._known = [TOPIC]
        self.feed = ShardFeed(
            self.scripted, self.inflow, self.log, self.ledger, PATIENT
        )

    def given(self, place, position):
        """Have a place from a position on, as the inflow makes it."""
        shards = shards_of(place.part, TOPIC.partitions)
        self.inflow._inlets[place] = Inlet(place, shards, position, 0)

    def said(self, place, text):
        """Have a message in the log and, where it is ours, from the topic."""
        stream = next(
            stream
            for stream in (session_stream("w", str(n)) for n in range(100))
            if partition_of(stream.shard, TOPIC.partitions) == place.part
        )
        message = MessageAdded(
            workspace="w",
            session="s",
            id=text,
            seq=1,
            author="a",
            created_at=START,
            tokens=1,
            content=text,
        )
        [recorded] = record([message], after=len(self.log.events))
        recorded = msgspec.structs.replace(
            recorded, stream=stream.name, shard=stream.shard
        )
        self.log.events.append(recorded)
        if (inlet := self.inflow._inlets.get(place)) is not None:
            inlet.offer([Arrived(recorded, recorded.position, 1)])

    @property
    def texts(self):
        return [text for _, texts in self.scripted.delivered for text in texts]


@pytest.mark.parametrize("position", [0, 3])
async def test_it_is_not_done_again_what_another_did_of_it(position):
    """``position`` is where the slowest processor of the place stands."""
    worker = Worker()
    worker.given(OURS, 0)
    worker.said(OURS, "a")
    await worker.feed.turn()
    worker.said(OURS, "b")
    worker.said(GIVEN, "done")
    await worker.feed.turn()
    worker.ledger.at[512] = 3
    worker.given(GIVEN, position)
    for recorded in worker.log.events[position:]:
        if recorded.shard in shards_of(GIVEN.part, 2):
            worker.inflow._inlets[GIVEN].offer([Arrived(recorded, 1, 1)])
    worker.said(GIVEN, "c")
    worker.said(OURS, "d")
    for _ in range(3):
        await worker.feed.turn()
    assert sorted(worker.texts) == ["a", "b", "c", "d"]
    assert worker.ledger.at == {0: 5, 512: 4}
