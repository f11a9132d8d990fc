"""Without a model a dream ends at once, empty, and says why; once."""

from datetime import UTC, datetime
from uuid import uuid4

from commands.decide import Reason
from commands.dream import watch_dreams
from domain.dream import DreamCompleted, DreamScheduled
from domain.event import Engine
from domain.recorded import Cause
from processors.dream_offline import DreamOffline
from processors.processor import Done
from tests.support.reactions import batch

OFFLINE = Engine(name="offline", version="1")


async def asked(memory, id_="1"):
    dreams = watch_dreams("w", "alice", "bob")
    event = DreamScheduled(
        workspace="w",
        id=id_,
        observer="alice",
        observed="bob",
        kind="omni",
        scheduled_at=datetime(2026, 11, 22, tzinfo=UTC),
    )
    story = Cause(actor="client", correlation_id=uuid4())
    appended = await memory.decide(
        "w", [dreams], lambda _: {dreams.stream: [event]}, Reason(story)
    )
    return appended.recorded[0]


async def test_a_dream_ends_empty_in_its_own_story(memory):
    scheduled = await asked(memory)
    dream = DreamOffline(memory.decide, OFFLINE)
    assert await dream(batch(scheduled)) == Done()
    [ended] = await memory.recorded(DreamCompleted)
    assert ended.event.reason == "engine-does-not-dream"
    assert ended.event.changes == 0
    assert ended.event.engine == OFFLINE
    assert ended.cause.causation_id == scheduled.id
    assert ended.cause.correlation_id == scheduled.cause.correlation_id
    assert ended.cause.actor == "dream"


async def test_delivered_twice_it_ends_once(memory):
    scheduled = await asked(memory)
    for _ in range(2):
        await DreamOffline(memory.decide, OFFLINE)(batch(scheduled))
    assert len(await memory.recorded(DreamCompleted)) == 1
