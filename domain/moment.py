"""The moment a question about the past names: a position of the log, or a time."""

import re
from datetime import UTC, datetime

from domain.errors import Invalid

LAST = 2**63 - 2
"""The highest position a log can have."""

NOW = LAST + 1
"""The position no event will reach: as of it means as it stands."""

_POSITION = re.compile(r"[0-9]{1,19}")
# A plus that a query string has not spelled out arrives as a blank.
_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?)"
    r"(?:([Zz])|([-+ ])([0-9]{2}:[0-9]{2}))"
)


def read_moment(text: str) -> int | datetime:
    """Return the position or the time that ``as_of`` spells.

    A time has an offset: without one it would mean another moment to each who reads
    it, and the answer would look just as good.

    Raises:
        Invalid
    """
    if _POSITION.fullmatch(text) and int(text) <= LAST:
        return int(text)
    found = _TIME.fullmatch(text)
    if found is None:
        raise _no_moment()
    day, time, zulu, sign, offset = found.groups()
    zone = "+00:00" if zulu else f"{sign.replace(' ', '+')}{offset}"
    try:
        return datetime.fromisoformat(f"{day}T{time}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise _no_moment() from None


def _no_moment() -> Invalid:
    return Invalid(
        "as_of must be a position of the log or an RFC 3339 time with its offset,"
        " as 4711 or 2026-11-22T12:00:00Z"
    )
