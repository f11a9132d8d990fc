"""What the questions need of HTTP, beside what projections need of the world."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias, TypeVar

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from domain.budget import BudgetStanding

B = TypeVar("B")
Q = TypeVar("Q")
T = TypeVar("T")

Injected: TypeAlias = SkipValidation[NamedDependency[T]]
"""Marks what ``infra`` gives to a handler by name."""


class Parse(Protocol):
    """Reads the parts of one HTTP request as pydantic models.

    Litestar dependency ``parse``, made for each request by ``infra/http``. All that
    is wrong with a request is reported together, as 422 items of HC 1.13. A model's
    validators may count tokens with ``info.context["count_tokens"]``.
    """

    def query(self, model: type[Q]) -> Q:
        """Return the query string; unknown parameters are ignored."""
        ...

    async def query_and_body(self, query: type[Q], body: type[B]) -> tuple[Q, B]:
        """Return both; what is wrong with either is in one list."""
        ...

    async def query_and_optional_body(
        self, query: type[Q], body: type[B]
    ) -> tuple[Q, B | None]:
        """Return both; the body is None when it is absent, empty or ``null``."""
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
        """Refuse a peer's key where another peer is named (E27, E29)."""
        ...

    async def check_active_member(
        self, workspace: str, sessions: Sequence[str]
    ) -> None:
        """Refuse a peer's key unless the peer is an active member of each session."""
        ...


class FindBudget(Protocol):
    """Tells how a workspace stands to what it may spend on models."""

    async def __call__(self, workspace: str) -> BudgetStanding: ...
