"""A scope holds what its sessions tell: it comes with them, and goes with them."""

from datetime import UTC, datetime, timedelta

from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionRetracted,
    Evidence,
)
from domain.erasure import SessionErased
from domain.event import Engine
from domain.scope import SessionAddedToScope, SessionRemovedFromScope
from domain.session import MessageAdded, Session, SessionCreated
from projections.conclusions import Conclusions
from projections.erasable import Erasable
from projections.members import Members
from projections.messages import Messages
from projections.scope_sessions import (
    ScopeSessions,
    list_backfills,
    sessions_of_scopes,
)
from projections.sessions import Sessions
from tests.support.folding import create, fold
from tests.support.given import fold as fold_state
from tests.support.history import START, record

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ENGINE = Engine(name="offline", version="1")
SCOPE = "scope.x"


def views():
    return [Sessions(), Members(), Messages(), ScopeSessions(), Conclusions()]


def said(seq=1, session="s"):
    return MessageAdded(
        workspace="w",
        session=session,
        id=f"{session}{seq}",
        seq=seq,
        author="alice",
        created_at=NOON,
        tokens=1,
        content="I like tea",
    )


def derived(id_, session: str | None = "s", **more):
    return ConclusionDerived(
        **{
            "workspace": "w",
            "session": session,
            "id": id_,
            "observed": "alice",
            "content": f"alice likes {id_}",
            "content_key": id_,
            "occurred_at": NOON,
            "engine": ENGINE,
            "evidence": (Evidence(f"{session}1", "s", 1),) if session else (),
        }
        | more
    )


def again(id_, session="s"):
    return ConclusionReinforced(
        workspace="w",
        session=session,
        id=id_,
        observed="alice",
        occurred_at=NOON,
        engine=ENGINE,
        evidence=(Evidence(f"{session}1", session, 1),),
    )


def retracted(id_, observer=None):
    return ConclusionRetracted(
        workspace="w", session="s", id=id_, observer=observer, reason="", actor=""
    )


def added(session="s", scope="x"):
    return SessionAddedToScope(
        workspace="w", session=session, scope=scope, joined_at=NOON
    )


def removed(session="s", scope="x"):
    return SessionRemovedFromScope(
        workspace="w", session=session, scope=scope, left_at=NOON
    )


async def folded(db, *events):
    """Fold all at once; what the scope holds must not depend on that."""
    await create(db, views())
    await fold(db, views(), record(events))


async def held(db, as_of=10**6):
    rows = await db.fetch(
        "SELECT origin, times_derived FROM conclusion WHERE observer = $2"
        " AND from_position <= $1 AND (to_position IS NULL OR to_position > $1)"
        " ORDER BY origin",
        as_of,
        SCOPE,
    )
    return {row["origin"]: row["times_derived"] for row in rows}


async def test_a_session_brings_what_is_known_from_it(db):
    await folded(
        db,
        said(),
        derived("a"),
        again("a"),
        derived("b"),
        derived("gone"),
        retracted("gone"),
        derived("own", observer="alice"),
        derived("bobs", observer="bob"),
        derived("inferred", level="deductive"),
        derived("elsewhere", session="t"),
        derived("nowhere", session=None),
        added(),
    )
    assert await held(db, 11) == {}
    assert await held(db) == {"a": 2, "b": 1, "own": 1}


async def test_what_is_concluded_from_it_while_it_is_there_is_held_too(db):
    await folded(
        db,
        said(),
        derived("old"),
        added(),
        derived("new"),
        again("new"),
        again("old"),
        derived("inferred", level="deductive"),
        again("inferred"),
        derived("bobs", observer="bob"),
    )
    assert await held(db) == {"old": 2, "new": 2}


async def test_it_takes_all_of_it_away_and_brings_it_back(db):
    events = [
        said(),
        derived("a"),
        derived("direct", observer=SCOPE),
        derived("free", session=None, observer=SCOPE),
        added(),
        derived("b"),
        removed(),
        again("a"),
        derived("c"),
        added(),
        again("b"),
    ]
    await folded(db, *events)
    assert await held(db, 4) == {"direct": 1, "free": 1}
    assert await held(db, 6) == {"a": 1, "b": 1, "direct": 1, "free": 1}
    assert await held(db, 9) == {"free": 1}
    everything = {"a": 2, "b": 2, "c": 1, "direct": 1, "free": 1}
    assert await held(db) == everything
    for each in record(events):
        await fold(db, views(), [each])
    assert await held(db) == everything


async def test_adding_it_again_while_it_is_there_brings_nothing_back(db):
    await folded(
        db, said(), derived("a"), added(), retracted("a", SCOPE), added(), derived("b")
    )
    assert await held(db) == {"b": 1}


async def test_only_what_is_left_of_two_sessions_stays(db):
    await folded(
        db,
        said(),
        said(session="t"),
        derived("a"),
        derived("b", session="t"),
        added("s"),
        added("t"),
        removed("s"),
        removed("never there"),
    )
    assert await held(db) == {"b": 1}
    assert await sessions_of_scopes(db, "w", ["x"], 10) == ["t"]
    assert await sessions_of_scopes(db, "w", ["x"], 10, as_of=6) == ["s", "t"]
    assert await sessions_of_scopes(db, "other", ["x"], 10) == []


async def test_a_backfill_is_told_where_there_was_something_to_bring(db):
    await folded(
        db,
        added("silent"),
        said(session="silent"),
        said(session="spoken"),
        derived("a", session="told"),
        added("spoken"),
        added("told"),
        derived("b", session="told"),
        added("told"),
        said(session="copy"),
        SessionCreated(workspace="w", session="copy", uid="u", created_at=NOON),
        added("copy"),
    )
    found = await list_backfills(db, "w", "x")
    assert [(each.session, each.at - START, each.copied) for each in found] == [
        ("spoken", timedelta(seconds=5), 0),
        ("told", timedelta(seconds=6), 1),
    ]


async def test_an_erased_session_takes_its_place_and_all_it_brought_with_it(db):
    erased = SessionErased(workspace="w", session="s", erased_at=NOON, through=4)
    events = [
        said(),
        derived("a"),
        added(),
        derived("direct", session=None, observer=SCOPE),
        erased,
        said(),
        derived("b"),
    ]
    erasable = [Erasable(each) for each in views()]
    await create(db, erasable)
    await fold(db, erasable, record(events))
    assert await held(db) == {"direct": 1}
    assert await sessions_of_scopes(db, "w", ["x"], 10) == []
    assert await list_backfills(db, "w", "x") == []
    assert fold_state(Session, [added(), erased]).scopes == ()
