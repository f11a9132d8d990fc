"""Which event views cannot get past, whichever process folds them."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from domain.recorded import Recorded
from infra.codec.errors import Unreadable
from infra.proof.unreadable import DAMAGED


class Log(Protocol):
    """Reads the log by position."""

    async def read_log(self, *, after: int, limit: int) -> Sequence[Recorded]: ...


class ViewsStopped(msgspec.Struct, frozen=True):
    """A damaged event: its position, its type if that is known, and what is wrong."""

    position: int
    type: str
    reason: str


async def views_stopped(log: Log, positions: Iterable[int]) -> ViewsStopped | None:
    """Return what stops views that stand at these positions, None if nothing does."""
    for position in sorted(set(positions)):
        try:
            await log.read_log(after=position, limit=1)
        except DAMAGED as found:
            if isinstance(found, Unreadable):
                return ViewsStopped(found.position, found.stored_type, found.reason)
            return ViewsStopped(position + 1, "", type(found).__name__)
    return None
