"""What tools need of memory: a view of it that was fixed before a model was asked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.moment import NOW
from processors.recall import Recollection


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks at memory, and how far it may see (RS 7.5, 14.17).

    ``observer`` holds the conclusions that are seen, about ``observed``; None is
    everybody's, about anybody. Messages are those said while the observer took part,
    or in the sessions a ``scope`` holds. Unless None, ``sessions`` are the only ones
    anything may come from: none of them, and there is nothing to see. ``session``
    confines messages to one. ``as_of`` is the position that is looked at.
    """

    workspace: str
    observer: str | None
    observed: str | None
    scope: bool = False
    session: str | None = None
    sessions: tuple[str, ...] | None = None
    as_of: int = NOW


class Period(msgspec.Struct, frozen=True):
    """From one time to another, both included; None is without an end."""

    after: datetime | None = None
    before: datetime | None = None


class Excerpt(msgspec.Struct, frozen=True):
    """A run of messages of one session, in order; ``matches`` are ids found there."""

    session: str
    messages: tuple[Recollection, ...]
    matches: tuple[str, ...]


class Link(msgspec.Struct, frozen=True):
    """A conclusion of a chain, so many ``steps`` from the one that was asked for."""

    conclusion: Recollection
    steps: int


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """What a conclusion was built on and what was built on it, nearest first.

    ``whole`` says that nothing within sight was left out for its number.
    """

    conclusion: Recollection
    premises: tuple[Link, ...]
    consequences: tuple[Link, ...]
    whole: bool


class MemoryView(Protocol):
    """Memory as far as a ``Sight`` reaches; what lies beyond is as if it were not.

    Withheld messages and what was retracted are not seen. Ids are those of events; of
    an id that is not within sight nothing is said, not even that.
    """

    async def search_conclusions(
        self, query: str, limit: int
    ) -> tuple[Recollection, ...]:
        """Return conclusions of any level, best first."""
        ...

    async def recent_conclusions(
        self, limit: int, *, here: bool
    ) -> tuple[Recollection, ...]:
        """Return the newest conclusions first; ``here``: of the sight's session."""
        ...

    async def search_messages(
        self, query: str, limit: int, around: int, period: Period
    ) -> tuple[Excerpt, ...]:
        """Find messages by words and meaning, with so many neighbours, best first."""
        ...

    async def grep_messages(
        self, text: str, limit: int, around: int
    ) -> tuple[Excerpt, ...]:
        """Find messages that contain a text in any case, newest first."""
        ...

    async def list_messages(
        self, period: Period, limit: int, *, newest_first: bool
    ) -> tuple[Recollection, ...]:
        """Return the messages of a period."""
        ...

    async def show_messages(
        self, ids: Sequence[str], around: int
    ) -> tuple[Excerpt, ...]:
        """Return messages by their public ids, with neighbours of their sessions."""
        ...

    async def find_chain(
        self, id_: str, *, premises: bool, consequences: bool
    ) -> Chain | None:
        """Walk from a conclusion in one direction or both, over all levels."""
        ...


class OpenMemory(Protocol):
    """Opens memory as far as a sight reaches."""

    def __call__(self, sight: Sight) -> MemoryView: ...
