"""What reactions need of the world beside models (``language_model.py``)."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from commands.living import Source
from domain.recorded import Recorded


class TokenCounter(Protocol):
    """Counts o200k_base tokens."""

    def count(self, text: str) -> int: ...


class Tokenizer(Protocol):
    """Cuts a text into o200k_base tokens."""

    def ids(self, text: str) -> Sequence[int]: ...


class Neighbour(msgspec.Struct, frozen=True):
    """A conclusion's words, and how far in meaning: 0 is the same."""

    content: str
    distance: float


class Neighbours(Protocol):
    """Knows what is near in meaning."""

    async def nearest(
        self, source: Source, told: Sequence[tuple[str, str]]
    ) -> Sequence[Neighbour | None]:
        """Return, for each (observed peer, text), the nearest explicit conclusion.

        It is one of the source's session, or an earlier of these texts; None where
        there is none.

        Raises:
            Unavailable
        """
        ...


class Embedder(Protocol):
    """Turns texts into vectors; ``model`` and ``dimensions`` name what it makes."""

    @property
    def model(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    async def embed(self, texts: Sequence[str]) -> Sequence[bytes]:
        """Return a float32 little-endian vector for each text, behind all requests.

        Raises:
            Unavailable
        """
        ...


class EmbeddingStore(Protocol):
    """Vectors beside the log: one for each (tenant, model, fingerprint), for ever."""

    async def get_many(
        self, tenant: str, model: str, fingerprints: Sequence[str]
    ) -> Mapping[str, bytes]:
        """Return the vectors that are there, by fingerprint."""
        ...

    async def put_many(
        self, tenant: str, model: str, vectors: Mapping[str, bytes]
    ) -> None:
        """Store vectors durably; one that is there stays as it is."""
        ...


class Fingerprint(Protocol):
    """Hashes texts under a key of the workspace, so that a hash tells nothing."""

    async def __call__(self, tenant: str, texts: Sequence[str]) -> Sequence[str]: ...


class StreamReader(Protocol):
    """Reads one stream of the log, opened."""

    async def read_stream(
        self, stream: str, *, after: int = 0, limit: int | None = None
    ) -> Sequence[Recorded]:
        """Return a stream's events with version > ``after``, in order."""
        ...


class KnownWords(Protocol):
    """Finds what memory holds word for word, in whichever session it was concluded."""

    async def __call__(
        self, workspace: str, peers: Sequence[str], texts: Sequence[str]
    ) -> Sequence[tuple[str, str]]:
        """Return (observed peer, text) of what is held of these peers in such words.

        There may be others among them.
        """
        ...
