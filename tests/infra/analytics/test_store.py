"""Counting in Postgres: once by position, all or nothing, and only what it may read."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from domain.conclusion import ConclusionDerived, ConclusionRetracted
from domain.derivation import DerivationCompleted
from domain.erasure import SessionErased, WorkspaceErased
from domain.event import Engine
from domain.events import EVENT_BY_TAG
from domain.session import MessageAdded
from infra.analytics import counting, store
from infra.analytics.counting import count_topic
from infra.analytics.facts import COUNTED
from infra.analytics.store import Moved, OtherLog
from infra.codec.errors import Unreadable
from infra.codec.shape import Shape
from tests.support.history import START
from tests.support.rollups import counted, recounted, stored, tables

ENGINE = Engine(name="offline", version="1")
DAY = START.date()


def said(seq, author="alice", session="s", workspace="w", **more):
    return MessageAdded(
        workspace=workspace,
        session=session,
        id=f"{workspace}-{session}-{seq}",
        seq=seq,
        author=author,
        created_at=START,
        tokens=10,
        content="words nobody counts",
        **more,
    )


def derived(first, last, session="s", **more):
    return DerivationCompleted(
        workspace="w",
        session=session,
        first_seq=first,
        last_seq=last,
        handled={},
        conclusions=(),
        engine=ENGINE,
        **more,
    )


def concluded(id_, session="s", **more):
    return ConclusionDerived(
        workspace="w",
        session=session,
        id=id_,
        observed="alice",
        content="c",
        content_key="c",
        occurred_at=START,
        engine=ENGINE,
        **more,
    )


def retracted(id_, session="s"):
    return ConclusionRetracted(
        workspace="w", session=session, id=id_, reason="", actor="client"
    )


SECOND = timedelta(seconds=1)


async def test_latency_is_from_when_a_message_came_to_when_it_was_derived(
    roll_ups, pool
):
    events = [said(1), said(2, derive=False), said(3), derived(1, 3)]
    await roll_ups.count(stored(events, pace=SECOND))
    found = await counted(pool)
    activity = found["activity", "w", DAY]
    assert activity["messages_derived"] == 2
    assert activity["derivation_micros"] == 3_000_000 + 1_000_000
    assert activity["derivation_micros_longest"] == 3_000_000
    assert found["latency", "w", DAY, 12] == {"messages": 1}  # 3 s: below 4,096 ms
    assert found["latency", "w", DAY, 10] == {"messages": 1}  # 1 s: below 1,024 ms


async def test_what_was_passed_over_and_derived_later_is_not_derived_twice(
    roll_ups, pool
):
    events = [said(1), derived(1, 1, reason="no-usable-answer"), derived(1, 1)]
    await roll_ups.count(stored(events, pace=SECOND))
    activity = (await counted(pool))["activity", "w", DAY]
    assert (activity["messages_passed_over"], activity["derivations"]) == (1, 2)
    assert "messages_derived" not in activity


async def test_what_is_told_again_under_its_number_counts_the_same_in_any_cut(
    roll_ups, pool
):
    events = [said(1), concluded("a"), said(1), concluded("a"), derived(1, 1)]
    rows = stored(events, pace=SECOND)
    await roll_ups.count(rows)
    at_once = await tables(pool)
    await roll_ups.forget()
    for row in rows:
        await roll_ups.count([row])
    assert await tables(pool) == at_once


async def test_copies_are_told_apart_and_peers_are_counted_once_a_day(roll_ups, pool):
    events = [said(1), said(2), said(3, "bob"), said(4, "carol", copy_of="x")]
    await roll_ups.count(stored(events, pace=SECOND))
    found = await counted(pool)
    assert found["activity", "w", DAY] == {
        "messages": 3,
        "message_tokens": 30,
        "copies": 1,
    }
    assert {key[3] for key in found if key[0] == "active_peer"} == {"alice", "bob"}


async def test_a_retraction_is_counted_at_the_level_of_what_fell(roll_ups, pool):
    events = [concluded("a", level="inductive"), retracted("a"), retracted("who")]
    rows = stored(events, pace=SECOND)
    for row in rows:
        await roll_ups.count([row])
    found = await counted(pool)
    assert found["conclusions", "w", DAY, "inductive"] == {"derived": 1, "retracted": 1}
    assert found["conclusions", "w", DAY, "unknown"] == {"retracted": 1}


async def test_an_erased_session_leaves_numbers_and_no_ids(roll_ups, pool):
    erased = SessionErased(workspace="w", session="s", erased_at=START, through=3)
    events = [said(1), concluded("a"), said(1, session="t"), erased]
    await roll_ups.count(stored(events, pace=SECOND))
    found = await tables(pool)
    assert found["level"] == []
    assert [dict(each)["session"] for each in found["waiting"]] == ["t"]
    assert (await counted(pool))["activity", "w", DAY]["messages"] == 2


async def test_of_an_erased_workspace_nothing_is_left_but_what_came_after(
    roll_ups, pool
):
    erased = WorkspaceErased(workspace="w", erased_at=START, through=3)
    events = [said(1), concluded("a"), said(1, workspace="v"), erased, said(1)]
    rows = stored(events, pace=timedelta(hours=30))
    await roll_ups.count(rows[:3])
    before = dict((await tables(pool))["changed"][0])
    await roll_ups.count(rows[3:])
    found = await tables(pool)
    own = [row for name in found for row in found[name] if ("workspace", "w") in row]
    assert {dict(row).get("day") for row in own} <= {rows[4].recorded_at.date(), None}
    assert ("workspace", "v") in found["activity"][0]
    changed = {dict(row)["day"]: dict(row)["position"] for row in found["changed"]}
    assert changed[before["day"]] == 4, "the days it was counted in are others now"


async def test_what_comes_again_is_not_counted_again(roll_ups, pool):
    rows = stored([said(n) for n in range(1, 9)])
    assert await roll_ups.count(rows[:5]) == 5
    assert await roll_ups.count(rows[:5]) == 0
    assert await roll_ups.count(rows[3:]) == 3
    assert await counted(pool) == recounted(
        (said(n), row.recorded_at) for n, row in enumerate(rows, start=1)
    )


async def test_many_at_once_count_once(roll_ups, pool):
    rows = stored([said(n) for n in range(1, 40)])
    await asyncio.gather(*(roll_ups.count(rows) for _ in range(4)))
    assert sum(
        each["messages"]
        for key, each in (await counted(pool)).items()
        if key[0] == "activity"
    ) == len(rows)


async def test_what_leaves_something_out_is_refused(roll_ups):
    rows = stored([said(n) for n in range(1, 9)])
    await roll_ups.count(rows[:2])
    with pytest.raises(Moved) as moved:
        await roll_ups.count(rows[3:])
    assert moved.value.position == 2
    assert (await roll_ups.stands()).position == 2


async def test_another_log_under_the_same_name_is_noticed(roll_ups):
    rows = stored([said(n) for n in range(1, 9)])
    await roll_ups.count(rows)
    other = [row._replace(id=UUID(int=99 + row.position)) for row in rows]

    async def subscribe(after):
        yield other[after:]

    with pytest.raises(OtherLog, match="Position 8"):
        await count_topic(subscribe, roll_ups)


async def test_a_broken_value_stops_it_there_and_says_where(roll_ups):
    rows = stored([said(n) for n in range(1, 4)])
    rows[1] = rows[1]._replace(data=b'{"workspace":"w"}')
    with pytest.raises(Unreadable, match="position 2"):
        await roll_ups.count(rows)
    assert (await roll_ups.stands()).position == 0


async def test_what_is_broken_off_was_never_counted(roll_ups, pool, monkeypatch):
    rows = stored([said(n) for n in range(1, 4)])
    broken = "SELECT $1::bigint / 0, $2::uuid, $3::timestamptz"
    monkeypatch.setattr(store, "_MOVE", broken)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await roll_ups.count(rows)
    monkeypatch.undo()
    assert await counted(pool) == {}
    assert await roll_ups.count(rows) == 3


async def test_a_running_consumer_counts_anew_what_is_forgotten(roll_ups, pool):
    rows = stored([said(n) for n in range(1, 30)])
    begun = []

    async def subscribe(after):
        begun.append(after)
        for first in range(after, len(rows), 5):
            yield rows[first : first + 5]
            if first == 10 and len(begun) == 1:
                await roll_ups.forget()

    await count_topic(subscribe, roll_ups, until=len(rows))
    assert begun == [0, 0]
    assert await counted(pool) == recounted(
        (said(n), row.recorded_at) for n, row in enumerate(rows, start=1)
    )


async def test_names_that_no_column_holds_do_not_stop_it(roll_ups, pool):
    await roll_ups.count(stored([said(1, "al\x00ice")]))
    assert [key[3] for key in await counted(pool) if key[0] == "active_peer"] == [
        "al\ufffdice"
    ]


def test_only_clear_fields_of_events_of_today_are_read():
    for tag, told in COUNTED.items():
        event = EVENT_BY_TAG[tag]
        personal = set(Shape(event).personal)
        read = set(told.__struct_fields__)
        assert read <= set(event.__struct_fields__) - personal, tag


async def test_a_day_changed_where_its_workspace_was_first_erased(roll_ups, pool):
    erased = [
        WorkspaceErased(workspace="w", erased_at=START, through=n) for n in (1, 3)
    ]
    events = [said(1), erased[0], said(1), erased[1]]
    rows = stored(events, pace=timedelta(hours=23))
    await roll_ups.count(rows)
    at_once = await tables(pool)
    await roll_ups.forget()
    await roll_ups.count(rows[:1])
    await roll_ups.count(rows[1:])
    assert await tables(pool) == at_once


async def test_what_is_forgotten_while_nothing_happens_is_counted_anew(
    roll_ups, monkeypatch
):
    monkeypatch.setattr(counting, "LOOK", 0.02)
    rows = stored([said(n) for n in range(1, 9)])
    idle = asyncio.Event()

    async def subscribe(after):
        yield rows[after:]
        idle.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(count_topic(subscribe, roll_ups))
    try:
        for _ in range(2):
            async with asyncio.timeout(60):
                await idle.wait()
            assert (await roll_ups.stands()).position == 8
            idle.clear()
            await roll_ups.forget()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_erasures_in_one_batch_leave_what_they_leave_one_by_one(roll_ups, pool):
    def erased(session):
        return SessionErased(workspace="w", session=session, erased_at=START, through=1)

    whole = WorkspaceErased(workspace="w", erased_at=START, through=1)
    events = [
        *(said(1), concluded("a"), said(1, session="t"), concluded("b", "t")),
        *(erased("s"), said(1), concluded("a"), retracted("a"), erased("t")),
        *(derived(1, 1), retracted("b", "t"), whole, said(1), concluded("a")),
        *(erased("s"), derived(1, 1), retracted("a"), whole, said(2), said(3)),
        *(erased("s"), said(4), derived(2, 4)),
    ]
    rows = stored(events, pace=timedelta(hours=7))
    found = []
    for cut in (len(rows), 5, 3, 1):
        await roll_ups.forget()
        for first in range(0, len(rows), cut):
            await roll_ups.count(rows[first : first + cut])
        found.append(await tables(pool))
    assert found[1:] == found[:1] * 3
