"""What is decided beside another process that appends to the same log.

No process hears of the other here: what rests on announcements would fail.
"""

import asyncio
from uuid import uuid4

import pytest

from commands.decide import Reason
from commands.parents import watch_peer
from commands.ports import CommandIdentity
from domain.errors import Conflict
from domain.peer import create_peer
from domain.workspace import configure_workspace as configure_state
from tests.domain.stories import peer_created
from tests.support.log import CAUSE
from tests.support.two_processes import WORKSPACE, founding, naming

REASON = Reason(CAUSE)
ALICE = watch_peer("w", "alice")


async def test_that_nothing_is_to_be_done_is_said_of_the_log_as_it_is(both):
    here, there = both
    await here("w", [WORKSPACE], founding, REASON)
    await here("w", [WORKSPACE], naming("one"), REASON)
    await there("w", [WORKSPACE], naming("two"), REASON)
    assert await here("w", [WORKSPACE], naming("one"), REASON) is not None
    assert (await there.look_anew(WORKSPACE)).metadata == {"name": "one"}


async def test_what_a_command_wrote_elsewhere_is_known_to_who_gives_it_again(both):
    """Else who works until a stream has moved would work on it for ever."""
    here, there = both
    await here("w", [WORKSPACE], founding, REASON)
    assert (await there.look(WORKSPACE)).metadata == {}
    once = Reason(CAUSE, CommandIdentity(uuid4(), b"the same"))
    first = await here("w", [WORKSPACE], naming("one"), once)
    again = await there("w", [WORKSPACE], naming("one"), once)
    assert again.last == first.last
    assert (await there.look(WORKSPACE)).metadata == {"name": "one"}


async def test_a_refusal_is_said_of_the_log_as_it_is(both):
    here, there = both
    await here("w", [WORKSPACE], founding, REASON)

    def unless_named(states):
        if not states[0].metadata:
            raise Conflict("no name")
        return {}

    with pytest.raises(Conflict):
        await here("w", [WORKSPACE], unless_named, REASON)
    await there("w", [WORKSPACE], naming("one"), REASON)
    assert await here("w", [WORKSPACE], unless_named, REASON) is None


async def test_what_is_appended_rests_on_streams_as_they_are(both):
    here, there = both
    await here("w", [WORKSPACE], founding, REASON)
    await there("w", [WORKSPACE], naming("one"), REASON)
    seen = []

    def as_named(states):
        seen.append(states[0].metadata)
        return {ALICE.stream: create_peer(states[1], peer_created())}

    await here("w", [WORKSPACE, ALICE], as_named, REASON)
    assert seen[-1] == {"name": "one"}


async def test_one_who_only_looks_does_not_fail_those_decided_upon_him_unheard(both):
    here, there = both
    await here("w", [WORKSPACE], founding, REASON)
    await there("w", [WORKSPACE], naming("one"), REASON)
    peers = [watch_peer("w", f"p{n}") for n in range(40)]

    def decision_of(n):
        def decision(states):
            created = peer_created(peer=f"p{n}", metadata=states[0].metadata)
            return {peers[n].stream: create_peer(states[1], created)}

        return decision

    await asyncio.gather(
        *(here("w", [WORKSPACE, peers[n]], decision_of(n), REASON) for n in range(40))
    )
    found = [await there.look_anew(each) for each in peers]
    assert all(each.metadata == {"name": "one"} for each in found)


async def test_a_stream_that_moved_elsewhere_is_read_on_not_again(both, monkeypatch):
    here, there = both
    await here("w", [WORKSPACE], founding, REASON)
    for n in range(5):
        await here("w", [WORKSPACE], naming(f"{n}"), REASON)
    await there("w", [WORKSPACE], naming("there"), REASON)
    reads = []
    store = here._store
    read = store.read_stream

    async def noted(stream, *, after=0, limit=None):
        reads.append(after)
        return await read(stream, after=after, limit=limit)

    monkeypatch.setattr(store, "read_stream", noted)
    assert await here("w", [WORKSPACE], naming("there"), REASON) is None
    assert reads == [6]


async def test_alone_nothing_is_asked_but_for_what_adds_nothing(both, monkeypatch):
    here, _ = both
    asked = []
    store = here._store
    moved = store.moved_since

    async def noted(position):
        asked.append(position)
        return await moved(position)

    monkeypatch.setattr(store, "moved_since", noted)
    await here("w", [WORKSPACE], founding, REASON)
    for n in range(5):
        await here("w", [WORKSPACE], naming(f"{n}"), REASON)
    assert asked == []
    done = await asyncio.gather(
        *(here("w", [WORKSPACE], naming("4"), REASON) for _ in range(50))
    )
    assert done == [None] * 50
    assert 1 <= len(asked) <= 2


async def test_two_who_write_in_turns_see_all_of_each_other(both):
    async def add(decide, n):
        def decision(states):
            names = {**states[0].metadata, f"{n}": n}
            return {WORKSPACE.stream: configure_state(states[0], "w", names, None)}

        await decide("w", [WORKSPACE], decision, REASON)

    await both[0]("w", [WORKSPACE], founding, REASON)
    await asyncio.gather(*(add(both[n % 2], n) for n in range(60)))
    assert len((await both[0].look_anew(WORKSPACE)).metadata) == 60
