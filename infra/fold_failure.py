"""What stops a group of views: one event that a projection refuses."""

from typing import Any

import msgspec

from domain.event import tag_of
from domain.recorded import Recorded


class Failure(msgspec.Struct, frozen=True):
    """The event a group of views cannot get past, and the error's name.

    ``position`` is 0 when it is not an event that fails but reaching the database
    or the log.
    """

    projection: str
    position: int
    type: str
    error: str


class FoldFailed(Exception):  # noqa: N818  says what happened
    """A projection refused one event; nothing after it is folded until it does not."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(
            f"{failure.projection} cannot fold {failure.type} at position "
            f"{failure.position}: {failure.error}"
        )
        self.failure = failure


def failed_at(error: Exception, recorded: Recorded) -> FoldFailed:
    """Return what to raise for an error a projection met at an event."""
    notes: list[Any] = getattr(error, "__notes__", [])
    return FoldFailed(
        Failure(
            notes[-1] if notes else "",
            recorded.position,
            tag_of(recorded.event),
            type(error).__name__,
        )
    )
