"""What commands need of the world, and the currency they pay in.

EventStoreError
├── WrongExpectedVersion   somebody else appended first: load again, decide again
├── KeyReused              an idempotency key came back with another request
└── Overloaded             the append queue is full; nothing was written
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from commands.moved_streams import MovedStreams
from domain.conclusion import Level
from domain.configuration import Configuration
from domain.event import Event
from domain.names import Stream
from domain.recorded import Cause, Recorded

ANY = -1
"""Expected version that accepts whatever is there."""


class EventStoreError(Exception):
    """The store did not append; ``str()`` says why."""


class WrongExpectedVersion(EventStoreError):  # noqa: N818  the field's name for it
    """A stream was not at the expected version; nothing of the request is written."""


class KeyReused(EventStoreError):  # noqa: N818  says what happened
    """The command id is known with another request hash (architecture section 2)."""


class Overloaded(EventStoreError):  # noqa: N818  says what happened
    """The append queue is full; try again after ``retry_after`` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("The log is busy; nothing was written")
        self.retry_after = retry_after


class CommandIdentity(msgspec.Struct, frozen=True):
    """A command that must happen once: its id within the tenant and its hash.

    ``request_hash`` is SHA-256 of method, path and body. ``forever`` marks a
    processor's command, whose row is never forgotten.
    """

    id: UUID
    request_hash: bytes
    forever: bool = False


class StreamAppend(msgspec.Struct, frozen=True):
    """Events for one stream, at the version they were decided at (or ANY).

    ``causes`` tells each event's own cause; without it they share the request's.
    """

    stream: Stream
    expected: int
    events: tuple[Event, ...]
    causes: tuple[Cause, ...] | None = None


class AppendRequest(msgspec.Struct, frozen=True):
    """Appends to one or several streams of one tenant: all of it or nothing."""

    tenant: str
    streams: tuple[StreamAppend, ...]
    cause: Cause
    command: CommandIdentity | None = None


class Appended(msgspec.Struct, frozen=True):
    """What a request wrote: its positions, and its events as recorded.

    ``replayed`` says the command had been carried out before; ``recorded`` are then
    the events of that first time.
    """

    first: int
    last: int
    recorded: tuple[Recorded, ...]
    replayed: bool = False


class EventStore(Protocol):
    """The log. Appends are group-committed; reads are by stream or position."""

    @property
    def elsewhere(self) -> int:
        """The highest position another process is known to have reached."""
        ...

    async def append(self, request: AppendRequest) -> Appended:
        """Append all or nothing, durably, at dense commit-ordered positions.

        Raises:
            WrongExpectedVersion, KeyReused, Overloaded
        """
        ...

    def submit(self, request: AppendRequest) -> Awaitable[Appended]:
        """Enqueue without waiting, so that a caller may decide the next request.

        A stream without events is only expected at its version. Requests are carried
        out in the order of submission. Single-stream requests
        on one stream may share a commit: each is checked against the version the
        one before it leaves, so a failure fails those decided upon it.

        Raises:
            Overloaded
        """
        ...

    def on_conflict(self, forget: Callable[[str], None]) -> None:
        """Register what is called, synchronously, with each conflicting stream's name.

        It is called before the outcome is delivered, and every request still queued
        with an exact version on that stream fails too: it was decided upon a state
        that never came to be, and a version number alone could match by accident.
        """
        ...

    async def read_stream(
        self, stream: str, *, after: int = 0, limit: int | None = None
    ) -> Sequence[Recorded]:
        """Return a stream's events with version > ``after``, in order.

        Raises:
            Damaged
        """
        ...

    async def read_despite_damage(self, stream: str) -> Sequence[Recorded]:
        """Return all of a stream, what is damaged in it as far as it tells anything."""
        ...

    async def moved_since(self, position: int) -> MovedStreams:
        """Return what grew after a position, whoever appended, as the log is now."""
        ...

    async def find_command(self, tenant: str, command: UUID) -> "SeenCommand | None":
        """Return what a command id stands for, if it was carried out."""
        ...


class SeenCommand(msgspec.Struct, frozen=True):
    """A command carried out before: its request hash and its events."""

    request_hash: bytes
    appended: Appended


class Clock(Protocol):
    """Tells the time: aware, UTC."""

    def __call__(self) -> datetime: ...


class NewId(Protocol):
    """Makes a random public id: 21 characters over ``A-Za-z0-9_-``."""

    def __call__(self) -> str: ...


class TokenCounter(Protocol):
    """Counts o200k_base tokens."""

    def count(self, text: str) -> int: ...


class Views(Protocol):
    """The views a write waits for before it answers (architecture section 3)."""

    async def wait_for(self, position: int, timeout: float) -> bool:  # noqa: ASYNC109  the bound is the point
        """Return True once the views have passed ``position``, False at the bound."""
        ...


class Remembered(msgspec.Struct, frozen=True, kw_only=True):
    """Vectors that are stored: whose they are, and the fingerprint of each text."""

    model: str
    dimensions: int
    fingerprints: tuple[str, ...]


class TextMemory(Protocol):
    """Makes texts findable by meaning, for a request that waits for it."""

    async def remember(self, workspace: str, texts: Sequence[str]) -> Remembered | None:
        """Store a vector for each text; None when no embedder answers now."""
        ...

    async def searchable(self, position: int) -> None:
        """Wait, bounded, until vectors recorded so far are found by questions."""
        ...


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A conclusion as its observer holds it: the id asked for, and where it is from.

    ``origin`` is the id it was derived under; ``gone`` says nobody holds it any more,
    ``named`` that it was made for this one observer.
    """

    id: str
    origin: str
    session: str | None
    observer: str
    observed: str
    gone: bool
    level: Level = "explicit"
    named: bool = False


class FindHeld(Protocol):
    """Finds a conclusion by its public id, also one that was held once."""

    async def __call__(self, workspace: str, conclusion: str) -> Held | None: ...


class ActiveSessions(Protocol):
    """Knows which sessions are active, from views a write has waited for."""

    async def any(self, workspace: str) -> bool:
        """Return True if a session of the workspace is active."""
        ...


class PdfText(Protocol):
    """Reads the text of a PDF."""

    async def text_of(self, content: bytes) -> str:
        """Return ``[Page N]`` and the text of each page that has any (HC E33).

        Raises:
            Invalid: it is no PDF, is locked, or takes more than it may.
        """
        ...


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment may set of the contract's limits (HC 10).

    ``observers``: active members of a session that observe others;
    ``message_size``: characters of a message, and of a piece of a file;
    ``file_size``: bytes of a file;
    ``webhooks``: endpoints of a workspace, and ``signs_webhooks`` whether there is a
    secret to sign deliveries with: without it nothing is delivered (HC E51);
    ``instructions``: tokens of custom instructions;
    ``dreams``: whether dreams may be scheduled (HC E07);
    ``configuration``: what holds where neither workspace nor session nor message
    says otherwise (HC 5.3).
    """

    observers: int = 10
    message_size: int = 25_000
    file_size: int = 5_242_880
    webhooks: int = 10
    signs_webhooks: bool = False
    instructions: int = 2_000
    dreams: bool = True
    configuration: Configuration = {}


class StoredMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it stands now; its time in UTC."""

    id: str
    author: str
    content: str
    metadata: dict[str, Any]
    created_at: datetime
    tokens: int


class FindMessage(Protocol):
    """Finds what was said."""

    async def __call__(
        self, workspace: str, session: str, message: str
    ) -> StoredMessage | None:
        """Return a message of a session by its id, None if there is none."""
        ...


class WakeDerivation(Protocol):
    """Has what waits to be tried again tried at once."""

    async def __call__(self, workspace: str, session: str) -> None:
        """Let go on what of a session's derivation waits, parked or not."""
        ...
