"""How values of events become values of columns, whatever the log holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

_NUL = "\x00"
_UNSTORABLE = "�"
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


def as_text(text: str) -> str:
    """Replace NUL, which no text column holds, by U+FFFD.

    The doors refuse it (HC 1.12); one that came into the log some other way must not
    stop the views.
    """
    return text.replace(_NUL, _UNSTORABLE) if _NUL in text else text


def as_json(value: Any) -> str:
    """Return the JSON text of a value, as a jsonb column takes it."""
    text = msgspec.json.encode(value).decode()
    if "\\u0000" in text:
        text = msgspec.json.encode(_without_nul(value)).decode()
    return text


def as_utc(moment: datetime) -> datetime:
    """Return an aware time; a naive one means UTC (HC 1.7).

    The first and the last moment of the calendar go to Postgres as infinities, which
    have no year to print. The doors refuse both; one that is in the log moves by a
    microsecond, so that it does not stop the views.
    """
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    if aware == _FIRST:
        return _FIRST + timedelta.resolution
    return _LAST - timedelta.resolution if aware == _LAST else aware


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return as_text(value)
        case dict():
            return {as_text(k): _without_nul(v) for k, v in value.items()}
        case list() | tuple():
            return [_without_nul(each) for each in value]
        case _:
            return value
