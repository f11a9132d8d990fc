"""A window on an ordered list, and what is seen through it."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")

NOW = 9_223_372_036_854_775_807
"""The position no event will reach: as of it means as it stands."""

AS_OF = "from_position <= $1 AND (to_position IS NULL OR to_position > $1)"
"""What held at the position $1, in a table of position intervals."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows of a list are wanted, as it stood at position ``as_of``.

    Lists are ordered by age, oldest first unless ``newest_first``.
    """

    limit: int = 50
    offset: int = 0
    newest_first: bool = False
    as_of: int = NOW

    @property
    def direction(self) -> str:
        """The SQL word for the order."""
        return "DESC" if self.newest_first else "ASC"


class Page(msgspec.Struct, Generic[T], frozen=True):
    """The items seen through a window, and how many there are in all."""

    items: list[T]
    total: int
