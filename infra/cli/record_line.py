"""How one record of the log is shown: a line for a person, an object for a script."""

from typing import Any

import msgspec

from domain.event import tag_of
from domain.recorded import Recorded

_SHOWN = 100


def as_line(record: Recorded) -> str:
    """Position, time, tag, stream and the beginning of what it says."""
    at = record.recorded_at.strftime("%Y-%m-%d %H:%M:%S")
    said = harmless(" ".join(_said(record).split()))
    said = said if len(said) <= _SHOWN else said[: _SHOWN - 1] + "…"
    return f"{record.position} {at} {tag_of(record.event)} {record.stream} {said}"


def as_object(record: Recorded) -> dict[str, Any]:
    """Everything there is of it, as JSON types."""
    return {
        "position": record.position,
        "stream": record.stream,
        "version": record.version,
        "recorded_at": msgspec.to_builtins(record.recorded_at),
        "id": str(record.id),
        "type": tag_of(record.event),
        "cause": msgspec.to_builtins(record.cause),
        "event": msgspec.to_builtins(record.event),
    }


def _said(record: Recorded) -> str:
    """The words of an event, if it has any, after who is meant."""
    event = record.event
    who = getattr(event, "author", None) or getattr(event, "observed", None)
    words = next(
        (
            str(getattr(event, name))
            for name in ("content", "answer", "entries", "conclusions", "peer")
            if getattr(event, name, None)
        ),
        "",
    )
    return f"{who}: {words}" if who and words else words or who or ""


def harmless(said: str) -> str:
    """Keep what somebody said from steering the terminal it is shown in."""
    return "".join(each if each.isprintable() else "\ufffd" for each in said)
