"""The relay rests between pages only where more gathers meanwhile."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from infra.kafka.pace import MOST, Pace
from infra.kafka.read_ahead import PAGE_BYTES, PAGE_EVENTS
from infra.postgres.stored_row import StoredRow

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def page(*commits):
    """One page of rows, recorded by commits so many milliseconds after noon."""
    return [
        StoredRow(
            n,
            NOON + timedelta(milliseconds=at),
            UUID(int=n),
            1,
            0,
            "s",
            "w",
            "t",
            b"",
            b"",
        )
        for n, at in enumerate(commits, 1)
    ]


def test_what_comes_singly_is_never_waited_with():
    pace = Pace()
    for _ in range(5):
        pace.wrote(page(0))
        assert pace.rest == 0
    pace.wrote(page(3, 3, 3))
    assert pace.rest == 0


def test_pages_of_several_commits_are_rested_after_within_a_bound():
    pace = Pace()
    rests = []
    for _ in range(20):
        pace.wrote(page(0, 4))
        rests.append(pace.rest)
    assert rests[0] > 0
    assert rests == sorted(rests)
    assert rests[-1] == MOST
    for _ in range(10):
        pace.wrote(page(0))
    assert pace.rest == 0


def test_a_backlog_is_not_rested_with():
    pace = Pace()
    pace.wrote(page(0, 4))
    pace.wrote(page(*range(PAGE_EVENTS)))
    assert pace.rest == 0


def test_a_backlog_of_large_events_is_not_rested_with_either():
    pace = Pace()
    pace.wrote(page(0, 4))
    pace.wrote([each._replace(data=bytes(PAGE_BYTES // 2)) for each in page(0, 4)])
    assert pace.rest == 0
