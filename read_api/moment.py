"""The moment a question is answered at: now, or one of the past.

Never earlier than the asker asked for with ``min_position``, and with ``as_of``
exactly then: what an answer shows of that moment is what it would have shown when the
log ended there. What has been erased since is gone from every moment.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, NoReturn, TypeVar, cast

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK, HTTP_504_GATEWAY_TIMEOUT
from litestar.types import Receive, Scope, Send
from litestar.types.asgi_types import HTTPResponseBodyEvent, HTTPResponseStartEvent
from pydantic import BaseModel, BeforeValidator, Field
from pydantic.json_schema import SkipJsonSchema, WithJsonSchema

from domain.errors import Invalid
from domain.moment import read_moment
from projections.as_of import NOW
from projections.ports import Folding, Views

T = TypeVar("T")

WAIT = 5.0
"""Longest wait for views to reach ``min_position``, in seconds."""

_MOST = 2**63 - 1


def _moment(sent: Any) -> int | datetime:
    try:
        return read_moment(str(sent))
    except Invalid as wrong:
        raise ValueError(str(wrong)) from None


def _no_history(_sent: Any) -> NoReturn:
    raise ValueError("this has no history: it can only be read as it is now")


AsOf = Annotated[
    int | datetime,
    BeforeValidator(_moment),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "format": "date-time"},
            ]
        }
    ),
]
"""A position, or an RFC 3339 time with its offset."""


class PresentQuery(BaseModel):
    """What a read accepts of which there is no history.

    ``min_position`` is a position the views must have passed: within ``WAIT``
    seconds, then 504, or what they show by then if ``allow_stale``.
    """

    min_position: int | None = Field(default=None, ge=0, le=_MOST)
    allow_stale: bool = False
    as_of: SkipJsonSchema[
        Annotated[int | datetime | None, BeforeValidator(_no_history)]
    ] = None


class ReadQuery(PresentQuery):
    """What every other read accepts (architecture sections 3 and 7).

    ``as_of`` is the position to read at, or an RFC 3339 time: then the last position
    that was recorded by then. It must be one the log has. What was recorded later is
    not seen; what was erased later is not seen either.
    """

    as_of: AsOf | None = Field(
        default=None,
        description="Read as it stood at this position of the log, or at this time"
        " (RFC 3339, with an offset)",
    )


class NotReached(HTTPException):
    """The views did not reach the asked position within the bound."""

    status_code = HTTP_504_GATEWAY_TIMEOUT


class Moment(msgspec.Struct, frozen=True):
    """The position an answer shows, and whether that is less than was asked.

    ``as_of`` is what queries are asked with: the position to read at, or ``NOW``.
    """

    position: int
    is_stale: bool = False
    as_of: int = NOW


async def reached(
    views: Views, query: PresentQuery, *, searched: bool = False
) -> Moment:
    """Wait for the asked position; return the moment to read at.

    Of the past, what is ``searched`` by meaning waits for vectors, too: asked again
    when those have come, the answer would be another.

    Raises:
        NotReached
        Invalid: the log has no such moment.
    """
    if query.as_of is not None:
        folding = views.vectors if searched else views
        return await _past(views, folding, query, query.as_of)
    asked = query.min_position
    if asked is None or asked <= views.position:
        return Moment(views.position)
    if await views.wait_for(asked, WAIT):
        return Moment(max(asked, views.position))
    return _stale(views, query, Moment(asked))


async def find_position(views: Views, moment: int | datetime) -> int:
    """Return the position a moment stands for; of a time, the last recorded by then.

    A time to come is now, as one before the first event is before all.

    Raises:
        Invalid: the log has not come to the position.
    """
    if isinstance(moment, datetime):
        return await views.position_at(moment)
    if moment > views.position and moment > (head := await views.head()):
        raise Invalid(f"as_of {moment} is beyond the log, which ends at {head}")
    return moment


async def _past(
    views: Views, folding: Folding, query: PresentQuery, moment: int | datetime
) -> Moment:
    position = await find_position(views, moment)
    if query.min_position is not None and query.min_position > position:
        raise Invalid(
            f"min_position {query.min_position} is after as_of, position {position}"
        )
    asked = Moment(position, as_of=position)
    if position <= folding.position or await folding.wait_for(position, WAIT):
        return asked
    return _stale(folding, query, asked)


def _stale(folding: Folding, query: PresentQuery, asked: Moment) -> Moment:
    """Make do with what the views show by now, if the asker allows it."""
    if not query.allow_stale:
        raise NotReached(detail=f"The views have not reached position {asked.position}")
    shown = min(folding.position, asked.as_of)
    return Moment(shown, is_stale=shown < asked.position, as_of=asked.as_of)


class Answer(Response[T]):
    """JSON with ``X-Position``, and ``X-Stale`` where less was reached than asked.

    It sends itself: what Litestar merges for any other response took a tenth of the
    time of a small answer.
    """

    def __init__(
        self, content: T, moment: Moment, told: Mapping[str, str] | None = None
    ) -> None:
        self.content = content
        self._told = told or {}
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
        headers += [(n.encode(), v.encode()) for n, v in self._told.items()]
        await send(
            HTTPResponseStartEvent(
                type="http.response.start", status=HTTP_200_OK, headers=headers
            )
        )
        await send(
            HTTPResponseBodyEvent(type="http.response.body", body=body, more_body=False)
        )


def answer(
    content: T, moment: Moment, told: Mapping[str, str] | None = None
) -> Response[T]:
    """Answer 200 with the position the content shows at least (X-Position).

    ``told`` are further headers, in lower case.
    """
    return Answer(content, moment, told)
