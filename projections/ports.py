"""What projections and the questions asked of them need of the world."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.recorded import Recorded
from projections.probe import Probe


class Row(Protocol):
    """One row of a result: by column name or by number."""

    def __getitem__(self, key: str | int) -> Any: ...


class Connection(Protocol):
    """The methods we need of a database connection; asyncpg's fulfils it."""

    async def execute(self, query: str, *args: object) -> str: ...
    async def executemany(
        self, query: str, args: Iterable[Sequence[object]]
    ) -> None: ...
    async def fetch(self, query: str, *args: object) -> Sequence[Row]: ...
    async def fetchrow(self, query: str, *args: object) -> Row | None: ...
    async def fetchval(self, query: str, *args: object) -> Any: ...


class Database(Protocol):
    """Lends read connections whose search path is the live views."""

    def acquire(self) -> AbstractAsyncContextManager[Connection]: ...


class LogReader(Protocol):
    """Reads the log by position."""

    async def read_log(self, *, after: int, limit: int) -> Sequence[Recorded]:
        """Return events with position > ``after`` in order, at most ``limit``."""
        ...

    async def id_at(self, position: int) -> UUID | None:
        """Return the id of the event at a position, damaged or not, None for none."""
        ...

    async def head(self) -> int:
        """Return the highest position, 0 when the log is empty."""
        ...


class TokenCounter(Protocol):
    """Counts o200k_base tokens."""

    def count(self, text: str) -> int: ...


class QueryEmbedder(Protocol):
    """Embeds a question ahead of background work.

    ``model`` and ``dimensions`` name the vectors that are searched now. They may be
    exchanged for others at any time: a probe says whose vectors it is made for.
    """

    @property
    def model(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    async def embed_query(self, text: str) -> Probe | None:
        """Return what a question is compared by, None if no embedder answers now."""
        ...


class Reranker(Protocol):
    """Reads a question and a text together, which orders better than both apart.

    ``depth`` is how many of what was found it reads; 0 means there is none.
    """

    @property
    def depth(self) -> int: ...

    async def rerank(self, query: str, texts: Sequence[str]) -> Sequence[float] | None:
        """Return how well each text answers, None when it does not say now."""
        ...


class Folding(Protocol):
    """How far views are folded.

    ``position`` is the highest log position all of them have passed.
    """

    @property
    def position(self) -> int: ...

    async def wait_for(self, position: int, timeout: float) -> bool:  # noqa: ASYNC109  the bound is the point
        """Return True once the views have passed ``position``, False at the bound."""
        ...


class Views(Folding, Protocol):
    """How far the prompt views are folded, and the log they are folded from."""

    @property
    def vectors(self) -> Folding:
        """How far those are that searches read beside, never ahead of the prompt."""
        ...

    async def head(self) -> int:
        """Return the log's highest position, 0 when it is empty."""
        ...

    async def position_at(self, moment: datetime) -> int:
        """Return the last position recorded at or before a time, 0 if there is none.

        ``moment`` has an offset.
        """
        ...
