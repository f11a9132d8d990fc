"""What is asked of the log once something is decided."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from commands.ports import AppendRequest, StreamAppend
from domain.event import Event
from domain.names import Stream

if TYPE_CHECKING:
    from commands.decide import Reason


def requested(
    tenant: str,
    decided: Mapping[Stream, tuple[Event, ...]],
    expected: Mapping[Stream, int],
    reason: "Reason",
) -> AppendRequest:
    """Return what is asked of the log: these versions, and on some of them events."""
    return AppendRequest(
        tenant=tenant,
        streams=tuple(
            StreamAppend(
                stream,
                version,
                events := decided.get(stream, ()),
                None
                if reason.cause_of is None
                else tuple(map(reason.cause_of, events)),
            )
            for stream, version in expected.items()
        ),
        cause=reason.cause,
        command=reason.command,
    )
