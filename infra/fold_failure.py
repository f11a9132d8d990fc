"""What stops a group of views: one event that is refused, or that none can read."""

from typing import Any

import msgspec

from domain.event import tag_of
from domain.recorded import Recorded
from infra.codec.errors import Unreadable


class Failure(msgspec.Struct, frozen=True):
    """The event a group of views cannot get past, and the error's name.

    ``projection`` is empty where the event cannot be read; ``error`` then says why.
    ``position`` is 0 when it is not an event that fails but reaching the database
    or the log.
    """

    projection: str
    position: int
    type: str
    error: str


class FoldFailed(Exception):  # noqa: N818  says what happened
    """One event is not folded, and nothing after it is until it can be."""

    def __init__(self, failure: Failure) -> None:
        who = (
            f"{failure.projection} cannot fold" if failure.projection else "unreadable"
        )
        super().__init__(
            f"{who} {failure.type} at position {failure.position}: {failure.error}"
        )
        self.failure = failure


def stopped_at(error: BaseException) -> FoldFailed | None:
    """Return what stopped views at one event; None if it was something else."""
    match error:
        case FoldFailed():
            return error
        case Unreadable():
            told = (error.position, error.stored_type, error.reason)
            return FoldFailed(Failure("", *told))
        case _:
            return None


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
