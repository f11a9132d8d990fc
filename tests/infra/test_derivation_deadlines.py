"""What waited too long is asked for once, by whoever looks, after a restart too."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import msgspec
import pytest

from commands.decide import Reason
from commands.derivation import watch_derivation
from commands.derivation_requests import RequestDerivation, request_derivation
from domain.derivation import DerivationRequested
from domain.erasure import SessionDeleted
from domain.names import session_stream
from domain.recorded import Cause
from infra.derivation_deadlines import DerivationDeadlines, keep_deadlines
from infra.turns import Turns, Works
from infra.watch import Watch
from processors.derive_conclusions import Gathering
from processors.gates import Gates
from tests.support.damage import Damage, broken_seal
from tests.support.reactions import SAID_AT, Memory
from tests.support.taking import ground as make_ground

AGE = timedelta(seconds=1_800)
LONG = SAID_AT + timedelta(days=3_650)


@pytest.fixture
async def ground(log, log_dsn):
    async with make_ground(log, log_dsn) as made:
        yield made


def deadlines(ground, now):
    ground.write.clock = lambda: now
    return DerivationDeadlines(ground.write, ground.readers, AGE)


async def asked(ground):
    memory = Memory(ground.log)
    return [
        (each.session, each.first_seq, each.through_seq, each.reason)
        for each in await memory.events(DerivationRequested)
    ]


async def test_what_is_due_is_asked_for_once(ground):
    await ground.begin()
    last = (await Memory(ground.log).recorded())[-1].recorded_at
    assert await deadlines(ground, last).ask() == 15
    assert await asked(ground) == []

    assert 1 <= await deadlines(ground, last + AGE - timedelta(seconds=3)).ask() <= 3
    assert await asked(ground) == []

    for _ in range(2):
        await deadlines(ground, last + AGE).ask()
    assert await asked(ground) == [("s", 1, 2, "age")]
    state = await ground.decide.look(watch_derivation("w", "s"))
    assert state.asked_seq == 2


async def test_a_session_that_is_gone_is_passed_by(ground):
    await ground.begin()
    await ground.say("x1", session="t")
    command = RequestDerivation(workspace="w", session="t", reason="flush")
    cause = Cause(actor="client", correlation_id=(await _any(ground)).id)
    done = await request_derivation(ground.write, command, Reason(cause))
    assert done.waiting == (1, 1)
    again = await request_derivation(ground.write, command, Reason(cause))
    assert again.waiting is None
    assert msgspec.structs.asdict(again)["redriven"] == ()


async def _any(ground):
    return (await Memory(ground.log).recorded())[0]


@pytest.mark.parametrize(
    ("gathers", "looks"),
    [
        (None, True),
        (Gathering(Gates(flush=True)), True),
        (Gathering(Gates()), True),
        (Gathering(Gates(age=None)), False),
    ],
)
async def test_what_waited_under_other_settings_is_looked_for_too(
    ground, log_dsn, gathers, looks
):
    async with AsyncExitStack() as running:
        works = Works(Turns.open(log_dsn, running), Watch(), running)
        keep_deadlines(ground.write, ground.readers, gathers, works)
        names = {task.get_name() for task in asyncio.all_tasks()}
        assert ("deadlines of derivation" in names) is looks


async def test_a_session_that_cannot_be_read_keeps_no_other_waiting(
    ground, log_dsn, monkeypatch
):
    damage = Damage(log_dsn, monkeypatch)
    damage.data("words of m2", broken_seal)
    await ground.begin()
    await ground.say("x1", session="t")
    late = (await ground.log.rows().page(0, events=100, size=10**6))[-1].recorded_at
    for _ in range(2):
        await deadlines(ground, late + AGE).ask()
    await damage.mend()
    assert await asked(ground) == [("t", 1, 1, "age")]
    await deadlines(ground, late + AGE).ask()
    assert await asked(ground) == [("t", 1, 1, "age"), ("s", 1, 2, "age")]


@pytest.mark.parametrize("how", ["damaged", "deleted"])
async def test_what_cannot_be_asked_for_leaves_its_place_to_others(
    ground, log_dsn, monkeypatch, how
):
    """More of it than one look takes, and longest overdue."""
    monkeypatch.setattr("infra.derivation_deadlines._AT_ONCE", 2)
    damage = Damage(log_dsn, monkeypatch)
    for session in ("b1", "b2", "b3"):
        if how == "damaged":
            damage.data(f"words of m{session}", broken_seal)
        await ground.say(f"m{session}", session=session)
        if how == "deleted":
            gone = SessionDeleted(
                workspace="w", session=session, deleted_at=SAID_AT, purge_at=LONG
            )
            await ground.append(session_stream("w", session), gone)
    await ground.say("x1", session="t")
    late = (await ground.log.rows().page(0, events=100, size=10**6))[-1].recorded_at
    looking = deadlines(ground, late + AGE)
    await looking.ask()
    assert await asked_of(ground) == set()
    await looking.ask()
    ground.write.clock = lambda: late + AGE + timedelta(minutes=6)
    await damage.mend()
    assert await asked_of(ground) == {"t"}
    for _ in range(2):
        await looking.ask()
        head = await ground.log.store.head()
        assert await ground.views.wait_for(head, 60)
    every = {"b1", "b2", "b3", "t"}
    assert await asked_of(ground) == (every if how == "damaged" else {"t"})


async def asked_of(ground):
    log = ground.log.follow()
    try:
        page = await log.read_log(after=0, limit=1_000)
    finally:
        log.close()
    events = [each.event for each in page]
    return {e.session for e in events if isinstance(e, DerivationRequested)}
