"""What the doors need of HTTP: a request read and checked, and who asks."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol, TypeVar

import msgspec
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from commands.asking import Chat
from commands.decide import Reason
from commands.ports import (
    ActiveSessions,
    FindHeld,
    FindMessage,
    PdfText,
    TextMemory,
    WakeDerivation,
)
from commands.reach import Reach
from commands.write import Write

B = TypeVar("B")
Q = TypeVar("Q")


class Parse(Protocol):
    """Reads the parts of one HTTP request as pydantic models.

    Litestar dependency ``parse``, made for each request by ``infra/http``. All that
    is wrong with a request is reported together, as 422 items of HC 1.13. A model's
    validators may count tokens with ``info.context["count_tokens"]``.
    """

    def query(self, model: type[Q]) -> Q:
        """Return the query string; unknown parameters are ignored."""
        ...

    async def body(self, model: type[B]) -> B:
        """Return the body, which must be there; a ``RootModel`` is a bare value."""
        ...

    async def query_and_body(self, query: type[Q], body: type[B]) -> tuple[Q, B]:
        """Return both; what is wrong with either is in one list."""
        ...

    async def query_and_optional_body(
        self, query: type[Q], body: type[B]
    ) -> tuple[Q, B | None]:
        """Return both; None where no body was sent."""
        ...

    async def upload(self, fields: type[B], most: int) -> tuple[B, "SentFile"]:
        """Return the fields of a multipart form and its one file.

        Raises:
            Invalid: the form is malformed.
        """
        ...


class SentFile(msgspec.Struct, frozen=True):
    """A file as it was sent: its declared type, its bytes, and how many they are.

    ``content`` is empty where there are more than were asked for.
    """

    content_type: str | None
    size: int
    content: bytes


class Origin(Protocol):
    """Who asks, in which story, and under which idempotency key.

    Litestar dependency ``origin``, made for each request by ``infra/http``.
    """

    async def reason(self, tenant: str, said: bytes | None = None) -> Reason:
        """Return the reason of this request's events in a workspace.

        ``said`` stands for the body where its bytes are others each time it is sent.

        Raises:
            Invalid: the ``Idempotency-Key`` is no key.
        """
        ...


class Caller(Protocol):
    """Who asks, and what their key covers (HC 4); without keys everybody is admin.

    Litestar dependency ``caller``. The route itself is authorised before a handler
    runs; a handler checks what only the body or the query says. Claims are None
    when the key has none; every refusal is a 401.
    """

    is_admin: bool
    workspace: str | None
    peer: str | None
    session: str | None

    @property
    def is_narrow(self) -> bool:
        """Whether the key is one of a peer or a session."""
        ...

    def refuse_narrow(self, detail: str) -> None:
        """Refuse a key narrower than the workspace with this text."""
        ...

    def check_own(self, peer: str) -> None:
        """Refuse a peer's key where another peer is named."""
        ...

    def check_names(
        self, workspace: str, *, peer: str | None = None, session: str | None = None
    ) -> None:
        """Authorise a get-or-create by the ids it names (E01, E09, E19; HC 4.4)."""
        ...

    async def check_active_member(
        self, workspace: str, sessions: Sequence[str]
    ) -> None:
        """Refuse a peer's key unless the peer is an active member of each session."""
        ...


GivenCaller = SkipValidation[NamedDependency[Caller]]
GivenParse = SkipValidation[NamedDependency[Parse]]
GivenOrigin = SkipValidation[NamedDependency[Origin]]
GivenPdfText = SkipValidation[NamedDependency[PdfText]]
GivenWrite = SkipValidation[NamedDependency[Write]]
GivenChat = SkipValidation[NamedDependency[Chat]]
GivenActiveSessions = SkipValidation[NamedDependency[ActiveSessions]]
GivenGrace = SkipValidation[NamedDependency[timedelta]]
GivenTextMemory = SkipValidation[NamedDependency[TextMemory]]
GivenFindMessage = SkipValidation[NamedDependency[FindMessage]]
GivenFindHeld = SkipValidation[NamedDependency[FindHeld]]
GivenReach = SkipValidation[NamedDependency[Reach]]
GivenWakeDerivation = SkipValidation[NamedDependency[WakeDerivation]]
