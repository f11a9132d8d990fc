"""The sessions a representation is confined to (HC 6.6)."""

from collections.abc import Mapping
from typing import Any

from domain.allowlist import read_allowlist


def confining_sessions(
    filters: Mapping[str, Any] | None, session: str | None
) -> list[str] | None:
    """Return the sessions named; a ``session`` of the request is a list of one.

    Raises:
        Invalid
    """
    listed = read_allowlist(filters, session)
    return listed if session is None else [session]
