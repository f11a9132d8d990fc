"""A moment of the past is a position, or a time that means the same to everybody."""

from datetime import UTC, datetime

import pytest

from domain.errors import Invalid
from domain.moment import LAST, read_moment


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("0", 0),
        ("0042", 42),
        (str(LAST), LAST),
        ("2026-11-22T12:00:00Z", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("2026-11-22t12:00:00z", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("2026-11-22 12:00:00+02:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T12:00:00 02:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T12:00:00-05:30", datetime(2026, 11, 22, 17, 30, tzinfo=UTC)),
        ("2026-11-22T12:00:00.25Z", datetime(2026, 11, 22, 12, 0, 0, 250000, UTC)),
        (
            "2026-11-22T12:00:00.1234567Z",
            datetime(2026, 11, 22, 12, 0, 0, 123456, UTC),
        ),
    ],
)
def test_a_moment_is_a_position_or_a_time_with_its_offset(text, moment):
    assert read_moment(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "1.5",
        "now",
        str(LAST + 1),
        "9" * 20,
        "١٢",
        "2026-11-22",
        "2026-11-22T12:00:00",
        "2026-11-22T12:00Z",
        "2026-13-22T12:00:00Z",
        "2026-11-22T12:00:60Z",
        "2026-11-22T12:00:00+25:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2026-11-22T12:00:00Z\n",
    ],
)
def test_what_could_mean_several_moments_or_none_is_refused(text):
    with pytest.raises(Invalid, match="as_of must be a position"):
        read_moment(text)
