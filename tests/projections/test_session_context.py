"""A context takes a summary and the newest messages that fit its budget."""

from datetime import UTC, datetime

import msgspec
import pytest

from projections.messages import Messages
from projections.session_context import Fitted, fit, newest_that_fit
from projections.summaries import Summary
from projections.withheld import Withheld
from tests.support.folding import create, fold
from tests.support.history import record
from tests.support.story import said


def summary(tokens, to_seq=20):
    return Summary(
        id="i",
        session="s",
        kind="k",
        from_seq=1,
        to_seq=to_seq,
        message="m",
        content="c",
        tokens=tokens,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        parent=None,
    )


@pytest.mark.parametrize(
    ("budget", "short", "long", "chosen"),
    [
        (100, 10, 40, "long"),
        (100, 10, 41, "short"),
        (100, 40, 40, "short"),
        (100, 41, 41, None),
        (100, 41, 30, None),
        (100, 20, 10, "short"),
        (100, None, 40, "long"),
        (100, 0, None, None),
        (100, None, None, None),
        (99, 39, None, "short"),
        (99, 40, None, None),
        (0, 10, 20, None),
        (-5, 10, 20, None),
    ],
)
def test_a_summary_may_take_two_fifths(budget, short, long, chosen):
    held = {
        "short": None if short is None else summary(short, 40),
        "long": None if long is None else summary(long, 60),
    }
    expected = held.get(chosen)
    fitted = fit(budget, held["short"], held["long"])
    assert fitted.summary is expected
    if expected is None:
        assert (fitted.from_seq, fitted.room) == (0, max(budget, 0))
    else:
        assert fitted.from_seq == expected.to_seq
        assert fitted.room == budget - expected.tokens


def numbered(messages):
    """The numbers of messages, which their ids tell."""
    return [int(each["id"].split("-")[1]) for each in msgspec.json.decode(messages)]


async def test_messages_are_taken_from_the_newest_back_without_a_gap(db):
    views = [Messages(), Withheld()]
    await create(db, views)
    sizes = (5, 100, 3, 0, 2)
    events = [said(n, "x", tokens=size) for n, size in enumerate(sizes, start=1)]
    await fold(db, views, record(events))

    async def first(room, from_seq=0):
        fitted = Fitted(None, from_seq, room)
        found = await newest_that_fit(db, "w", "s", fitted)
        numbers = numbered(found)
        assert numbers == list(range(6 - len(numbers), 6))
        return numbers[0] if numbers else None

    assert await first(1) is None
    assert await first(2) == 4
    assert await first(4) == 4
    assert await first(5) == 3
    assert await first(104) == 3
    assert await first(105) == 2
    assert await first(10_000) == 1
    assert await first(10_000, from_seq=3) == 3
    assert await first(0) is None
    none = Fitted(None, 0, 9)
    assert await newest_that_fit(db, "w", "none", none) == msgspec.Raw(b"[]")


async def test_messages_of_no_tokens_cost_nothing_however_many(db):
    views = [Messages(), Withheld()]
    await create(db, views)
    sizes = (7, *[0] * 200, 1, *[0] * 127)
    events = [said(n, "x", tokens=size) for n, size in enumerate(sizes, start=1)]
    await fold(db, views, record(events))
    for room, first in ((0, None), (1, 2), (7, 2), (8, 1)):
        found = await newest_that_fit(db, "w", "s", Fitted(None, 0, room))
        assert numbered(found) == (
            [] if first is None else list(range(first, len(sizes) + 1))
        )


async def test_a_long_session_is_read_back_page_by_page(db):
    views = [Messages(), Withheld()]
    await create(db, views)
    events = [said(n, "x", tokens=1) for n in range(1, 1001)]
    await fold(db, views, record(events))
    for room, first in ((100, 901), (256, 745), (257, 744), (700, 301), (5_000, 1)):
        found = await newest_that_fit(db, "w", "s", Fitted(None, 0, room))
        assert numbered(found) == list(range(first, 1001))
