"""The moment a question is answered at: never earlier than the asker asked for."""

from typing import Any, TypeVar

from litestar import Response
from litestar.exceptions import HTTPException
from litestar.status_codes import HTTP_504_GATEWAY_TIMEOUT
from pydantic import BaseModel, Field

from projections.ports import Views

T = TypeVar("T")

WAIT = 5.0
"""Longest wait for views to reach ``min_position``, in seconds."""

_MOST = 2**63 - 1


class ReadQuery(BaseModel):
    """Every read accepts a position the views must have passed (architecture 3)."""

    min_position: int | None = Field(default=None, ge=0, le=_MOST)


class NotReached(HTTPException):
    """The views did not reach the asked position within the bound."""

    status_code = HTTP_504_GATEWAY_TIMEOUT


async def reached(views: Views, query: ReadQuery) -> int:
    """Wait for the asked position; return the one the views have passed.

    Raises:
        NotReached
    """
    asked = query.min_position
    if asked is not None and asked > views.position:
        if not await views.wait_for(asked, WAIT):
            raise NotReached(detail=f"The views have not reached position {asked}")
        return max(asked, views.position)
    return views.position


def answer(content: T, position: int) -> Response[T]:
    """Answer 200 with the position the content shows at least (X-Position)."""
    headers: dict[str, Any] = {"X-Position": str(position)}
    return Response(content, status_code=200, headers=headers)
