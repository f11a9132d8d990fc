"""What the questions need of HTTP, beside what projections need of the world."""

from typing import Protocol, TypeAlias, TypeVar

from litestar.di import NamedDependency
from litestar.params import SkipValidation

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
