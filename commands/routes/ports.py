"""What the doors need of HTTP: a request read and checked, and who asks."""

from typing import Protocol, TypeVar

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from commands.decide import Reason
from commands.ports import Answerer
from commands.write import Write

B = TypeVar("B")
Q = TypeVar("Q")


class Parse(Protocol):
    """Reads the parts of one HTTP request as pydantic models.

    Litestar dependency ``parse``, made for each request by ``infra/http``. All that
    is wrong with a request is reported together, as 422 items of HC 1.13. A model's
    validators may count tokens with ``info.context["count_tokens"]``.
    """

    async def body(self, model: type[B]) -> B:
        """Return the body, which must be there; a ``RootModel`` is a bare value."""
        ...

    async def query_and_body(self, query: type[Q], body: type[B]) -> tuple[Q, B]:
        """Return both; what is wrong with either is in one list."""
        ...


class Origin(Protocol):
    """Who asks, in which story, and under which idempotency key.

    Litestar dependency ``origin``, made for each request by ``infra/http``.
    """

    async def reason(self, tenant: str) -> Reason:
        """Return the reason of this request's events in a workspace.

        Raises:
            Invalid: the ``Idempotency-Key`` is no key.
        """
        ...


GivenParse = SkipValidation[NamedDependency[Parse]]
GivenOrigin = SkipValidation[NamedDependency[Origin]]
GivenWrite = SkipValidation[NamedDependency[Write]]
GivenAnswerer = SkipValidation[NamedDependency[Answerer]]
