"""Conclusions are held by those who heard what they rest on."""

from datetime import UTC, datetime, timedelta

from domain.conclusion import ConclusionDerived, ConclusionReinforced, Evidence
from domain.event import Engine
from domain.session import MessageAdded, PeerJoined, PeerLeft, PeerRoleChanged
from projections.conclusions import (
    Conclusions,
    get_conclusion,
    list_conclusions,
    row_id,
)
from projections.evidence import Evidence as EvidenceTable
from projections.evidence import evidence_of, resting_on
from projections.members import Members
from projections.messages import Messages
from projections.page import Window
from tests.support.folding import create, fold
from tests.support.history import START, record

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ENGINE = Engine(name="offline", version="1")
NAMED = {"workspace": "w", "session": "s"}


def views():
    return [Members(), Messages(), Conclusions(), EvidenceTable()]


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
    own = await get_conclusion(db, "w", "c")
    bobs = await get_conclusion(db, "w", row_id("c", "bob"))
    assert own is not None
    assert bobs is not None
    assert (own.observer, own.origin, own.session) == ("alice", "c", "s")
    assert (bobs.observer, bobs.origin, bobs.content) == ("bob", "c", own.content)
    assert own.created_at == START + timedelta(seconds=8)
    assert len(bobs.id) == 21
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
    own = await get_conclusion(db, "w", "c")
    carols = await get_conclusion(db, "w", row_id("c", "carol"))
    assert own is not None
    assert carols is not None
    assert own.occurred_at == carols.occurred_at == NOON + timedelta(days=2)
    assert own.created_at == START + timedelta(seconds=3)
    assert carols.created_at == START + timedelta(seconds=7)
    assert own.sources == carols.sources == ["x", "y"]


async def test_a_pair_s_conclusions_are_paged_as_of_any_position(db):
    await create(db, views())
    events = record([said(1), *(derived(1, id=f"c{n}") for n in range(5)), again(1)])
    await fold(db, views(), events)
    pair = ("alice", "alice")
    newest = Window(limit=2, newest_first=True)
    page = await list_conclusions(db, "w", pair, newest)
    assert ([c.id for c in page.items], page.total) == (["c4", "c3"], 5)
    page = await list_conclusions(db, "w", pair, Window(as_of=3))
    assert [c.id for c in page.items] == ["c0", "c1"]
    assert (await list_conclusions(db, "w", ("bob", "alice"), Window())).total == 0


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
