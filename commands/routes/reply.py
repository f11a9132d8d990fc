"""The answer of a write: its body, its status, and the position it is readable at."""

from typing import TypeVar

from litestar import Response
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

T = TypeVar("T")


def reply(body: T, position: int, *, created: bool = False) -> Response[T]:
    """Answer 201 for what this request made, else 200."""
    return Response(
        content=body,
        status_code=HTTP_201_CREATED if created else HTTP_200_OK,
        headers={"X-Position": str(position)},
    )
