"""Progress counts what was asked for and what is done, once."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from domain.derivation import (
    DerivationCompleted,
    DerivationRedriven,
    DerivationRequested,
)
from domain.event import Engine
from domain.session import MessageAdded
from domain.summary import SummaryOmitted, SummaryProduced
from projections.messages import Messages
from projections.progress import Progress
from projections.progress_counts import (
    Items,
    count_items,
    find_overdue,
    get_progress,
)
from tests.support.folding import create, fold
from tests.support.history import START, record

NOON = datetime(2020, 1, 1, 12, tzinfo=UTC)
ENGINE = Engine(name="offline", version="1")


def views():
    return [Messages(), Progress()]


def said(seq, author="alice", session="s", **more):
    return MessageAdded(
        workspace="w",
        session=session,
        id=f"{session}{seq}",
        seq=seq,
        author=author,
        created_at=NOON,
        tokens=1,
        content="hello",
        **more,
    )


def handled(first, last, **counts):
    return DerivationCompleted(
        workspace="w",
        session="s",
        first_seq=first,
        last_seq=last,
        handled=counts,
        conclusions=(),
        engine=ENGINE,
        reason="nothing-to-extract",
    )


def summed(kind, to_seq):
    return SummaryProduced(
        workspace="w",
        session="s",
        id=f"{kind}{to_seq}",
        kind=kind,
        from_seq=1,
        to_seq=to_seq,
        message="m",
        content="",
        tokens=0,
        created_at=NOON,
        engine=ENGINE,
    )


def omitted(kind, to_seq):
    return SummaryOmitted(
        workspace="w", session="s", kind=kind, from_seq=1, to_seq=to_seq, engine=ENGINE
    )


EVENTS = record(
    [
        said(1),
        said(2, author="bob", summaries=("short",)),
        said(3, derive=False),
        said(4, summaries=("short", "long")),
        said(1, session="t"),
        handled(1, 2, alice=1, bob=1),
        handled(1, 2, alice=1, bob=1),
        summed("short", 3),
        summed("short", 4),
    ]
)


@pytest.mark.parametrize("answer", [summed, omitted])
async def test_items_are_counted_by_session_and_sender_however_events_are_cut(
    db, answer
):
    await create(db, views())
    await fold(db, views(), EVENTS[:4])
    await fold(db, views(), EVENTS[2:7])
    await fold(db, views(), EVENTS)
    await fold(db, views(), EVENTS)
    assert await count_items(db, "w") == [Items("s", 5, 3), Items("t", 1, 0)]
    assert await count_items(db, "w", session="s") == [Items("s", 5, 3)]
    assert await count_items(db, "w", sender="alice") == [
        Items("s", 2, 1),
        Items("t", 1, 0),
    ]
    assert await count_items(db, "w", sender="bob") == [Items("s", 1, 1)]
    assert await count_items(db, "other") == []
    await fold(db, views(), record([answer("long", 4)], after=9))
    assert await count_items(db, "w", session="s") == [Items("s", 5, 4)]


async def test_a_session_says_how_far_it_is_derived_and_how_old_the_rest_is(db):
    await create(db, views())
    assert await get_progress(db, "w", "s") is None
    await fold(db, views(), EVENTS[:4])
    before = await get_progress(db, "w", "s")
    assert before is not None
    assert (before.last_position, before.last_seq) == (4, 4)
    assert (before.derived_position, before.derived_seq) == (0, 0)
    assert before.oldest_pending_at == START + timedelta(seconds=1)

    await fold(db, views(), EVENTS[4:])
    after = await get_progress(db, "w", "s")
    assert after is not None
    assert (after.derived_position, after.derived_seq) == (2, 2)
    assert after.oldest_pending_at == START + timedelta(seconds=4)

    await fold(db, views(), record([handled(3, 4, alice=1)], after=9))
    done = await get_progress(db, "w", "s")
    assert done is not None
    assert (done.derived_position, done.oldest_pending_at) == (4, None)
    assert await count_items(db, "w", sender="alice", session="s") == [Items("s", 2, 2)]


def asked(through_seq):
    return DerivationRequested(
        workspace="w", session="s", first_seq=1, through_seq=through_seq, reason="age"
    )


async def test_what_is_redriven_is_pending_again_until_it_is_done(db):
    redriven = DerivationRedriven(
        workspace="w", session="s", first_seq=1, last_seq=2, handled={"alice": 2}
    )
    again = msgspec.structs.replace(handled(1, 2, alice=2), again=True)
    story = [said(1), said(2), said(3), handled(1, 2, alice=2), redriven, again]
    events = record([*story, handled(3, 3, alice=1)])
    await create(db, views())
    counted = []
    for recorded in events:
        await fold(db, views(), [recorded])
        [items] = await count_items(db, "w")
        counted.append(items.completed)
    assert counted == [0, 0, 0, 2, 0, 2, 3]


async def test_what_waits_too_long_is_found_once_until_it_is_asked_for(db):
    await create(db, views())
    events = record([said(1), said(2), said(1, session="t"), said(1, session="u")])
    await fold(db, views(), events)
    times = [each.recorded_at for each in events]

    found = await find_overdue(db, times[0], 10)
    assert (found.sessions, found.next_at) == ([("w", "s")], times[2])
    found = await find_overdue(db, times[3], 2)
    assert found.sessions == [("w", "s"), ("w", "t")]

    await fold(db, views(), record([asked(1)], after=9))
    found = await find_overdue(db, times[1], 10)
    assert found.sessions == [("w", "s")]
    await fold(db, views(), record([asked(2)], after=10))
    found = await find_overdue(db, times[2], 10)
    assert found.sessions == [("w", "t")]
    await fold(db, views(), record([handled(1, 2, alice=2), said(3)], after=11))
    found = await find_overdue(db, times[0], 10)
    assert found.next_at == times[2]
