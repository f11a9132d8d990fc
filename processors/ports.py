"""What reactions need of the world, and the currency they pay in.

Unavailable   somebody we depend on does not answer now; it may later
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from commands.ports import AskedQuestion
from domain.event import Engine
from domain.recorded import Recorded
from domain.session import SummaryKind


class Unavailable(Exception):  # noqa: N818  says what happened
    """A model, an embedder or a store does not answer now.

    ``retry_after`` is in seconds, None when nobody knows; ``str()`` names who does
    not answer, and never what was said.
    """

    def __init__(self, who: str, retry_after: float | None = None) -> None:
        super().__init__(f"{who} does not answer")
        self.retry_after = retry_after


class Said(msgspec.Struct, frozen=True):
    """One message as a reasoner is given it; ``at`` carries the speaker's zone."""

    id: str
    author: str
    text: str
    at: datetime


class Fact(msgspec.Struct, frozen=True):
    """One sentence about a peer, and the ids of the messages it rests on."""

    content: str
    evidence: tuple[str, ...]


class Reasoner(Protocol):
    """Draws conclusions and sums up: the offline engine, or a model.

    ``engine`` is recorded with all it produces.
    """

    @property
    def engine(self) -> Engine: ...

    async def derive(self, window: Sequence[Said], observed: str) -> Sequence[Fact]:
        """Return what the window tells of ``observed``; nobody trusts the evidence.

        Raises:
            Unavailable
        """
        ...

    async def summarize(
        self, kind: SummaryKind, previous: str, window: Sequence[Said]
    ) -> str:
        """Return a summary of all so far, absorbing ``previous``; "" if there is none.

        Raises:
            Unavailable
        """
        ...


class TokenCounter(Protocol):
    """Counts o200k_base tokens."""

    def count(self, text: str) -> int: ...


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


class Recollection(msgspec.Struct, frozen=True, kw_only=True):
    """Something memory holds that may answer a question.

    ``peer`` is the observed peer of a conclusion, the author of a message.
    ``similarity`` is the cosine to the question, 0 if only its words were found;
    ``evidence`` are the messages a conclusion rests on. Ids are those of the events.
    """

    kind: Literal["conclusion", "message"]
    id: str
    text: str
    at: datetime
    peer: str
    similarity: float
    evidence: tuple[str, ...] = ()


class Recalled(msgspec.Struct, frozen=True):
    """What was found, best first, and the position memory had been folded to."""

    found: tuple[Recollection, ...]
    as_of: int


class MemorySearch(Protocol):
    """Searches what one peer may know: what it holds of the target, what it heard."""

    async def recall(self, question: AskedQuestion, limit: int) -> Recalled:
        """Return at most ``limit`` conclusions and as many messages."""
        ...
