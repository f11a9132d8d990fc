"""Conclusions are held by those who heard what they rest on."""

from datetime import UTC, datetime, timedelta

from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionRetracted,
    Evidence,
)
from domain.event import Engine
from domain.session import MessageAdded, PeerJoined, PeerLeft, PeerRoleChanged
from projections.conclusions import Conclusions
from projections.evidence import Evidence as EvidenceTable
from projections.evidence import evidence_of, resting_on
from projections.holdings import row_id
from projections.members import Members
from projections.messages import Messages
from projections.scope_sessions import ScopeSessions
from tests.support.folding import create, fold
from tests.support.history import START, record

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ENGINE = Engine(name="offline", version="1")
NAMED = {"workspace": "w", "session": "s"}


def views():
    return [
        Members(),
        Messages(),
        ScopeSessions(),
        Conclusions(),
        EvidenceTable(),
    ]


def joined(peer, **flags):
    return PeerJoined(**NAMED, peer=peer, joined_at=NOON, **flags)


def said(seq):
    return MessageAdded(
        **NAMED,
        id=f"m{seq}",
        seq=seq,
        author="alice",
        created_at=NOON,
        tokens=1,
        content="I like tea",
    )


def cited(*seqs):
    return tuple(Evidence(f"m{seq}", "s", seq) for seq in seqs)


def derived(seq, **more):
    fields = {
        **NAMED,
        "id": "c",
        "observed": "alice",
        "content": "alice likes teas",
        "content_key": "alice likes teas",
        "occurred_at": NOON,
        "engine": ENGINE,
        "evidence": cited(seq),
    }
    return ConclusionDerived(**(fields | more))


def again(seq, **more):
    fields = {
        **NAMED,
        "id": "c",
        "observed": "alice",
        "occurred_at": NOON + timedelta(days=seq),
        "engine": ENGINE,
        "evidence": cited(seq),
    }
    return ConclusionReinforced(**(fields | more))


def retracted(observer=None, id_="c"):
    return ConclusionRetracted(
        **NAMED, id=id_, observer=observer, reason="deleted", actor="client"
    )


async def held(db, id_):
    """Return the row of an id as it stands now."""
    [row] = await db.fetch(
        "SELECT * FROM conclusion WHERE tenant = 'w' AND id = $1"
        " AND to_position IS NULL",
        id_,
    )
    return row


async def holders(db, as_of=None):
    rows = await db.fetch(
        "SELECT observer, times_derived FROM conclusion WHERE from_position <= $1"
        " AND (to_position IS NULL OR to_position > $1) ORDER BY observer",
        as_of or 10**6,
    )
    return {row["observer"]: row["times_derived"] for row in rows}


async def test_a_conclusion_is_held_by_its_subject_and_by_members_who_observe(db):
    await create(db, views())
    events = record(
        [
            joined("alice", observe_others=True),
            joined("bob", observe_others=True),
            joined("carol"),
            joined("dave", observe_others=True),
            PeerLeft(**NAMED, peer="dave", left_at=NOON),
            joined("erin", observe_others=False),
            said(1),
            derived(1),
        ]
    )
    await fold(db, views(), events)
    assert await holders(db) == {"alice": 1, "bob": 1}
    own = await held(db, "c")
    bobs = await held(db, row_id("c", "bob"))
    assert (own["observer"], own["origin"], own["session"]) == ("alice", "c", "s")
    assert (bobs["observer"], bobs["origin"]) == ("bob", "c")
    assert bobs["content"] == own["content"]
    assert own["created_at"] == START + timedelta(seconds=8)
    assert own["born"] == bobs["born"] == 8
    assert len(bobs["id"]) == 21
    assert await db.fetchval(
        "SELECT bool_and(words @@ to_tsquery('english', 'liking & tea'))"
        " FROM conclusion"
    )


async def test_observing_counts_when_it_was_said_not_when_it_was_concluded(db):
    await create(db, views())
    events = record(
        [
            joined("bob", observe_others=True),
            said(1),
            PeerLeft(**NAMED, peer="bob", left_at=NOON),
            joined("carol", observe_others=True),
            derived(1),
            PeerRoleChanged(**NAMED, peer="carol", observe_others=False),
        ]
    )
    await fold(db, views(), events)
    assert await holders(db) == {"alice": 1, "bob": 1}


async def test_a_named_observer_is_the_only_one(db):
    await create(db, views())
    events = record(
        [
            joined("bob", observe_others=True),
            said(1),
            derived(1, observer="carol"),
            again(1),
            derived(1, id="d", observer="alice"),
            again(1, id="d"),
            derived(1, id="e", session=None, evidence=()),
        ]
    )
    await fold(db, views(), events)
    rows = await db.fetch(
        "SELECT id, observer, times_derived FROM conclusion"
        " WHERE to_position IS NULL ORDER BY id"
    )
    assert [tuple(row) for row in rows] == [
        ("c", "carol", 2),
        ("d", "alice", 2),
        ("e", "alice", 1),
    ]


async def test_a_repetition_counts_for_those_who_heard_it(db):
    await create(db, views())
    events = record(
        [
            joined("bob", observe_others=True),
            said(1),
            derived(1, sources=("x", "y")),
            PeerLeft(**NAMED, peer="bob", left_at=NOON),
            joined("carol", observe_others=True),
            said(2),
            again(2),
            again(2),
        ]
    )
    for each in events:
        await fold(db, views(), [each])
    assert await holders(db, 3) == {"alice": 1, "bob": 1}
    assert await holders(db, 7) == {"alice": 2, "bob": 1, "carol": 1}
    assert await holders(db) == {"alice": 3, "bob": 1, "carol": 2}
    own = await held(db, "c")
    carols = await held(db, row_id("c", "carol"))
    assert own["occurred_at"] == carols["occurred_at"] == NOON + timedelta(days=2)
    assert own["created_at"] == START + timedelta(seconds=3)
    assert carols["created_at"] == START + timedelta(seconds=7)
    assert (own["born"], carols["born"]) == (3, 7)
    assert own["sources"] == carols["sources"] == ["x", "y"]


def heard_by_bob(*later):
    return record([joined("bob", observe_others=True), said(1), derived(1), *later])


async def test_retracted_by_one_it_is_still_held_by_the_others(db):
    await create(db, views())
    events = heard_by_bob(retracted("bob"), again(1))
    await fold(db, views(), events[:4])
    assert await holders(db, 3) == {"alice": 1, "bob": 1}
    assert await holders(db) == {"alice": 1}


async def test_retracted_by_all_nobody_holds_it(db):
    await create(db, views())
    await fold(db, views(), heard_by_bob(again(1), retracted(), retracted("bob")))
    assert await holders(db, 4) == {"alice": 2, "bob": 2}
    assert await holders(db) == {}


async def test_drawn_again_it_is_another_conclusion_for_who_retracted_it(db):
    await create(db, views())
    events = heard_by_bob(
        retracted("bob"),
        retracted("alice"),
        again(1),
        again(1),
        retracted("bob"),
        again(1),
    )
    await fold(db, views(), events)
    assert await holders(db, 5) == {}
    assert await holders(db, 6) == {"alice": 1, "bob": 1}
    assert await holders(db, 8) == {"alice": 2}
    assert await holders(db) == {"alice": 3, "bob": 1}
    ids = await db.fetch("SELECT DISTINCT id FROM conclusion WHERE observer = 'bob'")
    assert len(ids) == 3
    anew = await held(db, row_id("c", "alice", events[5].id.hex))
    assert (anew["born"], anew["origin"]) == (6, "c")


async def test_a_retraction_of_what_nobody_holds_changes_nothing(db):
    await create(db, views())
    await fold(db, views(), heard_by_bob(retracted("carol"), retracted(id_="d")))
    assert await holders(db) == {"alice": 1, "bob": 1}


async def test_evidence_leads_both_ways(db):
    await create(db, views())
    events = record([said(1), said(2), derived(1), again(2), again(1)])
    await fold(db, views(), events)
    await fold(db, views(), events)
    found = await evidence_of(db, "w", ["c"])
    assert [(e.message, e.seq, e.position) for e in found] == [
        ("m1", 1, 3),
        ("m2", 2, 4),
    ]
    assert len(await evidence_of(db, "w", ["c"], as_of=3)) == 1
    assert [e.conclusion for e in await resting_on(db, "w", ["m2"])] == ["c"]
    assert await resting_on(db, "other", ["m2"]) == []
