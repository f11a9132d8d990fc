"""The moment a question is answered at: never earlier than the asker asked for."""

from typing import Annotated, Any, TypeVar, cast

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK, HTTP_504_GATEWAY_TIMEOUT
from litestar.types import Receive, Scope, Send
from litestar.types.asgi_types import HTTPResponseBodyEvent, HTTPResponseStartEvent
from pydantic import AfterValidator, BaseModel, Field

from projections.ports import Views

T = TypeVar("T")

WAIT = 5.0
"""Longest wait for views to reach ``min_position``, in seconds."""

_MOST = 2**63 - 1


def _reserved(_moment: str) -> str:
    raise ValueError("reading the past is not served yet")


class ReadQuery(BaseModel):
    """What every read accepts (architecture section 3).

    ``min_position`` is a position the views must have passed: within ``WAIT``
    seconds, then 504, or what they show by then if ``allow_stale``. ``as_of`` is
    reserved for a position or an RFC 3339 time to read at.
    """

    min_position: int | None = Field(default=None, ge=0, le=_MOST)
    allow_stale: bool = False
    as_of: Annotated[str, AfterValidator(_reserved)] | None = None


class NotReached(HTTPException):
    """The views did not reach the asked position within the bound."""

    status_code = HTTP_504_GATEWAY_TIMEOUT


class Moment(msgspec.Struct, frozen=True):
    """The position the views had passed, and whether that is less than was asked."""

    position: int
    is_stale: bool = False


async def reached(views: Views, query: ReadQuery) -> Moment:
    """Wait for the asked position; return the moment the views have reached.

    Raises:
        NotReached
    """
    asked = query.min_position
    if asked is None or asked <= views.position:
        return Moment(views.position)
    if await views.wait_for(asked, WAIT):
        return Moment(max(asked, views.position))
    if query.allow_stale:
        return Moment(views.position, is_stale=views.position < asked)
    raise NotReached(detail=f"The views have not reached position {asked}")


class Answer(Response[T]):
    """JSON with ``X-Position``, and ``X-Stale`` where less was reached than asked.

    It sends itself: what Litestar merges for any other response took a tenth of the
    time of a small answer.
    """

    def __init__(self, content: T, moment: Moment) -> None:
        self.content = content
        self.status_code = HTTP_200_OK
        self._moment = moment

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        """Return what Litestar calls to send the answer."""
        return cast("ASGIResponse", self._send)

    async def _send(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        body = msgspec.json.encode(self.content)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"x-position", b"%d" % self._moment.position),
        ]
        if self._moment.is_stale:
            headers.append((b"x-stale", b"true"))
        await send(
            HTTPResponseStartEvent(
                type="http.response.start", status=HTTP_200_OK, headers=headers
            )
        )
        await send(
            HTTPResponseBodyEvent(type="http.response.body", body=body, more_body=False)
        )


def answer(content: T, moment: Moment) -> Response[T]:
    """Answer 200 with the position the content shows at least (X-Position)."""
    return Answer(content, moment)
