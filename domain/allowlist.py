"""The sessions a recall may be confined to (HC 6.6)."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.errors import Invalid
from domain.names import NAME_PATTERN, is_name

MOST = 1000
"""Most sessions one request may list."""

_KEY = "filters.session_id"
_SHAPE = (
    'filters.session_id must be a session id, a list of session ids, or {"in": [...]}'
)


def read_allowlist(
    filters: Mapping[str, Any] | None, session: str | None = None
) -> list[str] | None:
    """Return the sessions listed, in order and each once; None if nothing confines.

    A ``session`` of the request must be among those listed.

    Raises:
        Invalid
    """
    if filters is None:
        return None
    unknown = [key for key in filters if key != "session_id"]
    if unknown:
        raise Invalid(
            f"Unsupported filter key(s) for this endpoint: {unknown}."
            " Only 'session_id' is supported."
        )
    if "session_id" not in filters:
        raise Invalid("filters must contain 'session_id'")
    listed = check_sessions(_entries(filters["session_id"]))
    if session is not None and session not in listed:
        raise Invalid("session_id must be included in filters.session_id")
    return listed


def check_sessions(sessions: Sequence[str]) -> list[str]:
    """Return session ids in order, each once.

    A context's ``sessions`` are refused in the words of ``filters`` (HC 6.6).

    Raises:
        Invalid: one is no session id, or there are too many.
    """
    for session in sessions:
        if not is_name(session):
            raise Invalid(
                f"Invalid session id in {_KEY}: {session!r}."
                f" Session ids match {NAME_PATTERN}"
            )
    listed = list(dict.fromkeys(sessions))
    if len(listed) > MOST:
        raise Invalid(f"{_KEY} supports at most {MOST} sessions per request")
    return listed


def _entries(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict) and list(value) == ["in"]:
        value = value["in"]
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    raise Invalid(_SHAPE)
