"""What a unit took comes back for those who lost it, as they held it."""

import pytest

from domain.conclusion import (
    ConclusionReinforced,
    ConclusionReinstated,
    ConclusionRetracted,
)
from domain.scope import SessionAddedToScope, SessionRemovedFromScope
from projections.conclusions import Conclusions
from projections.members import Members
from projections.messages import Messages
from projections.scope_sessions import ScopeSessions
from projections.sessions import Sessions
from tests.support.folding import create, fold
from tests.support.history import record
from tests.support.story import ENGINE, NOON, concluded, joined, rests_on, said

FIRST = said(1, "I like tea")
SCOPE = "scope.x"
HEARD = (joined("s", "bob", observe_others=True), FIRST)


def views():
    return [Sessions(), Members(), Messages(), ScopeSessions(), Conclusions()]


def derived(**more):
    return concluded("c", "alice likes tea", evidence=rests_on(FIRST), **more)


def again():
    return ConclusionReinforced(
        workspace="w",
        session="s",
        id="c",
        observed="alice",
        occurred_at=NOON,
        engine=ENGINE,
        evidence=rests_on(FIRST),
    )


def retracted(unit="u", observer=None):
    return ConclusionRetracted(
        workspace="w",
        session="s",
        id="c",
        observer=observer,
        reason="",
        actor="",
        unit=unit,
    )


def reinstated(unit="u", observer=None):
    return ConclusionReinstated(
        workspace="w",
        session="s",
        id="c",
        observer=observer,
        unit=unit,
        reason="",
        actor="",
    )


def added():
    return SessionAddedToScope(workspace="w", session="s", scope="x", joined_at=NOON)


def removed():
    return SessionRemovedFromScope(workspace="w", session="s", scope="x", left_at=NOON)


async def held(db, as_of=10**6):
    rows = await db.fetch(
        "SELECT * FROM conclusion WHERE from_position <= $1"
        " AND (to_position IS NULL OR to_position > $1)",
        as_of,
    )
    return {row["observer"]: row for row in rows}


@pytest.fixture(params=["at once", "one by one"])
def folded(request, db):
    """Fold a story; what comes of it must not depend on how it is cut."""

    async def run(*events):
        await create(db, views())
        history = record(events)
        whole = request.param == "at once"
        for batch in [history] if whole else [[each] for each in history]:
            await fold(db, views(), batch)
        return await held(db)

    return run


async def test_each_has_the_same_row_again_from_then_on(db, folded):
    now = await folded(
        *HEARD, derived(), again(), retracted(), said(2, ""), reinstated()
    )
    assert set(now) == {"alice", "bob"}
    assert await held(db, 5) == await held(db, 6) == {}
    for observer, before in (await held(db, 4)).items():
        same = {"id", "created_at", "born", "times_derived", "content", "occurred_at"}
        assert {n: now[observer][n] for n in same} == {n: before[n] for n in same}
    assert now["bob"]["times_derived"] == 2


async def test_only_what_that_unit_took_comes_back(folded):
    now = await folded(
        *HEARD, derived(), retracted("v", "bob"), retracted(), reinstated()
    )
    assert set(now) == {"alice"}


async def test_what_went_without_a_unit_never_comes_back(folded):
    assert await folded(*HEARD, derived(), retracted(""), reinstated("")) == {}


async def test_who_holds_it_anew_keeps_that(folded):
    now = await folded(
        *HEARD, derived(), retracted(observer="bob"), again(), reinstated()
    )
    assert now["bob"]["times_derived"] == 1
    assert now["alice"]["times_derived"] == 2


async def test_it_may_go_and_come_back_again(folded):
    now = await folded(
        *HEARD,
        derived(),
        retracted(),
        reinstated(),
        again(),
        retracted("v"),
        reinstated("u"),
        reinstated("v"),
    )
    assert {row["times_derived"] for row in now.values()} == {2}


async def test_a_scope_holds_it_again_while_its_session_is_there(folded):
    now = await folded(*HEARD, added(), derived(), retracted(), reinstated())
    assert SCOPE in now


async def test_a_scope_its_session_has_left_does_not(folded):
    now = await folded(*HEARD, added(), derived(), retracted(), removed(), reinstated())
    assert set(now) == {"alice", "bob"}


@pytest.mark.parametrize("before", [(), (added(),)], ids=["new", "there before"])
async def test_a_scope_its_session_came_into_since_holds_it_too(folded, before):
    went = (removed(),) if before else ()
    story = (*HEARD, *before, derived(), again(), retracted(), *went, added())
    now = await folded(*story, reinstated())
    assert now[SCOPE]["times_derived"] == 2


async def test_what_a_scope_alone_had_lost_stays_lost_to_it(folded):
    now = await folded(
        *HEARD, added(), derived(), retracted("v", SCOPE), retracted(), reinstated()
    )
    assert set(now) == {"alice", "bob"}


async def test_what_was_made_for_a_scope_comes_back_to_it(folded):
    now = await folded(
        added(), derived(observer=SCOPE), retracted(), removed(), added(), reinstated()
    )
    assert set(now) == {SCOPE}
