"""What deciding about dreams needs of memory: what is new, and in which collections."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

Pair = tuple[str, str, str]
"""Workspace, observer and observed."""


class News(msgspec.Struct, frozen=True):
    """How many explicit conclusions are new, and the newest: when, in which session."""

    count: int
    newest: datetime | None = None
    session: str | None = None


class DreamNews(Protocol):
    """Knows what collections came to hold, once the views have passed the log's head.

    Each raises ``Overloaded`` while they have not.
    """

    async def head(self) -> int:
        """Return the position up to which all there is is known."""
        ...

    async def since(self, pair: Pair, position: int) -> News:
        """Count the explicit conclusions a pair came to hold after a position."""
        ...

    async def pairs_holding(
        self, workspace: str, conclusions: Sequence[str]
    ) -> Sequence[Pair]:
        """Return the pairs that came to hold any of these explicit conclusions."""
        ...

    async def scope_has_moved(self, pair: Pair, position: int) -> bool:
        """Tell if sessions a scope's pair holds of came or went after a position."""
        ...

    async def pairs_of_scope(
        self, workspace: str, scope: str, sessions: Sequence[str]
    ) -> Sequence[Pair]:
        """Return the collections of a scope that hold, or held, any of these."""
        ...
