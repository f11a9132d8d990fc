"""What reactions need of the world, and the currency they pay in.

Unavailable    somebody we depend on does not answer now; it may later
└── Malformed  a model answered, but not in the form it was asked for
ModelRefused   a model will not answer this, however often it is asked
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from domain.derivation import Refused
from domain.event import Call, Engine
from domain.recorded import Recorded
from domain.session import SummaryKind


class Unavailable(Exception):  # noqa: N818  says what happened
    """A model, an embedder or a store does not answer now, and may later.

    That covers what a person has to mend, such as a wrong key. ``retry_after`` is in
    seconds, None when nobody knows; ``str()`` names who does not answer, and never
    what was said.
    """

    def __init__(self, who: str, retry_after: float | None = None) -> None:
        super().__init__(f"{who} does not answer")
        self.retry_after = retry_after


class Malformed(Unavailable):
    """A model answered, even asked again, what does not fit the schema."""


class ModelRefused(Exception):  # noqa: N818  says what happened
    """A model will not answer this prompt; asking again is in vain.

    ``reason`` is a word for the record, such as ``content_filter``; never content.
    """

    def __init__(self, who: str, reason: str) -> None:
        super().__init__(f"{who} refused ({reason})")
        self.reason = reason


class Turn(msgspec.Struct, frozen=True):
    """One message of a conversation with a model."""

    role: Literal["system", "user", "assistant"]
    content: str


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is asked.

    ``max_tokens`` bounds the answer; ``temperature`` None leaves the configured one.
    """

    turns: tuple[Turn, ...]
    max_tokens: int
    temperature: float | None = None


class JsonSchema(msgspec.Struct, frozen=True):
    """The form an answer must have; ``name`` is 1 to 64 of ``A-Za-z0-9_-``.

    ``shown`` is what the model is given if it says more than is enforced.
    """

    name: str
    schema: Mapping[str, Any]
    shown: Mapping[str, Any] | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens spent; ``input`` counts those read from the provider's cache too."""

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0
    calls: int = 1

    def __add__(self, other: "Usage") -> "Usage":
        """Add up what several calls cost."""
        return Usage(
            input=self.input + other.input,
            output=self.output + other.output,
            cached=self.cached + other.cached,
            reasoning=self.reasoning + other.reasoning,
            calls=self.calls + other.calls,
        )


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """What a model answered, and which one; ``finish`` says why it ended.

    ``length`` means the answer is cut at ``max_tokens``. ``call`` is what it took
    beside tokens.
    """

    text: str
    model: str
    usage: Usage
    finish: Literal["stop", "length", "other"] = "stop"
    call: Call = Call()


class Structured(msgspec.Struct, frozen=True):
    """A value that fits the schema it was asked for in, and the answer it is from.

    The completion's usage and call are of all calls it took.
    """

    value: Any
    completion: Completion


class LanguageModel(Protocol):
    """One configured model. Retries what can succeed by itself, within bounds.

    ``transport`` and ``model`` name it before it has answered; ``parameters`` are
    what was configured beside them. All are recorded with what it produces.
    """

    @property
    def transport(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def parameters(self) -> Mapping[str, str]: ...

    async def complete(self, prompt: Prompt) -> Completion:
        """Answer in full.

        Raises:
            Unavailable, ModelRefused
        """
        ...

    def stream(
        self, prompt: Prompt, schema: JsonSchema | None = None
    ) -> AsyncGenerator[str | Completion, None]:
        """Yield the answer piece by piece, and last the Completion of them all.

        Closing the generator ends the call at the provider. An answer that breaks
        off raises; a piece that was yielded is never taken back by a retry. That an
        answer fits ``schema`` is asked for and not checked.

        Raises:
            Unavailable, ModelRefused
        """
        ...

    async def structured(self, prompt: Prompt, schema: JsonSchema) -> Structured:
        """Answer with a JSON value of that form, asking once more if it is not.

        Raises:
            Malformed, Unavailable, ModelRefused
        """
        ...


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


class Drawn(msgspec.Struct, frozen=True):
    """Facts, and the engine that found them with what it took.

    ``refused`` is what rested on nothing the engine was given.
    """

    facts: tuple[Fact, ...]
    engine: Engine
    refused: Refused = Refused()


class SummedUp(msgspec.Struct, frozen=True):
    """A summary, "" if there is none, and the engine that made it."""

    text: str
    engine: Engine


class Reasoner(Protocol):
    """Draws conclusions and sums up: the offline engine, or a model.

    ``engine`` names it where nothing was asked of it.
    """

    @property
    def engine(self) -> Engine: ...

    async def derive(
        self, window: Sequence[Said], observed: str, instructions: str | None = None
    ) -> Drawn:
        """Return what the window tells of ``observed``; nobody trusts the evidence.

        ``instructions`` are the tenant's (HC 5.1); the offline engine has no ear for
        them.

        Raises:
            Malformed, Unavailable, ModelRefused
        """
        ...

    async def summarize(
        self, kind: SummaryKind, previous: str, window: Sequence[Said]
    ) -> SummedUp:
        """Return a summary of all so far, absorbing ``previous``.

        Raises:
            Unavailable, ModelRefused
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
