"""The one map from what went wrong to what the client is told (HC 1.11)."""

import logging
import traceback
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.status_codes import (
    HTTP_400_BAD_REQUEST,
    HTTP_401_UNAUTHORIZED,
    HTTP_402_PAYMENT_REQUIRED,
    HTTP_404_NOT_FOUND,
    HTTP_405_METHOD_NOT_ALLOWED,
    HTTP_408_REQUEST_TIMEOUT,
    HTTP_409_CONFLICT,
    HTTP_422_UNPROCESSABLE_ENTITY,
    HTTP_500_INTERNAL_SERVER_ERROR,
    HTTP_503_SERVICE_UNAVAILABLE,
)

from commands.asking import OverBudget, Unanswered
from commands.ports import EventStoreError, KeyReused, Overloaded
from domain.errors import Conflict, DomainError, Invalid, NotFound, Refused
from infra.auth.errors import Unauthorized
from infra.http.correlation import correlation_of
from infra.http.intake import BodyMissing
from infra.http.validation import Item, ValidationFailed
from infra.postgres.connection import is_lost

logger = logging.getLogger("palimpsest.http")

_STATUS: dict[type[Exception], int] = {
    Unauthorized: HTTP_401_UNAUTHORIZED,
    OverBudget: HTTP_402_PAYMENT_REQUIRED,
    BodyMissing: HTTP_408_REQUEST_TIMEOUT,
    NotFound: HTTP_404_NOT_FOUND,
    Invalid: HTTP_422_UNPROCESSABLE_ENTITY,
    Conflict: HTTP_409_CONFLICT,
    Refused: HTTP_400_BAD_REQUEST,
    DomainError: HTTP_422_UNPROCESSABLE_ENTITY,
    KeyReused: HTTP_422_UNPROCESSABLE_ENTITY,
    EventStoreError: HTTP_503_SERVICE_UNAVAILABLE,
}

_PHRASE = {
    HTTP_404_NOT_FOUND: "Not Found",
    HTTP_405_METHOD_NOT_ALLOWED: "Method Not Allowed",
}

_RETRY_AFTER = 5.0
"""Seconds to wait where nobody knows how long, and the most that is ever said.

The published clients sleep as long as they are told, twice, before they tell anybody
(HC 1.16): a provider's five minutes would look like a server that hangs.
"""

_ECHO = 4_096
"""Longest offending value, in bytes of JSON, that an item gives back."""

Asked = Request[Any, Any, Any]


def answer_failure(request: Asked, failure: Exception) -> Response[bytes]:
    """Answer any exception; only what nobody foresaw is a 500, and is logged."""
    match failure:
        case ValidationFailed():
            items = [_shown(item) for item in failure.items]
            return _refusal(HTTP_422_UNPROCESSABLE_ENTITY, items)
        case Overloaded() | Unanswered() if not isinstance(failure, OverBudget):
            seconds = min(failure.retry_after or _RETRY_AFTER, _RETRY_AFTER)
            after = {"Retry-After": f"{max(1, round(seconds))}"}
            return _refusal(HTTP_503_SERVICE_UNAVAILABLE, str(failure), after)
        case _ if isinstance(failure, tuple(_STATUS)):
            return _refusal(_status_of(failure), _text(str(failure)))
        case HTTPException():
            return _of_litestar(request, failure)
        case _ if is_lost(failure):
            logger.warning("the database is away: %s", type(failure).__name__)
            return _refusal(HTTP_503_SERVICE_UNAVAILABLE, "The database is away")
        case _:
            return _unforeseen(request, failure)


def _status_of(failure: Exception) -> int:
    """Return the status of the nearest class the map knows."""
    return next(_STATUS[kind] for kind in type(failure).__mro__ if kind in _STATUS)


def _of_litestar(request: Asked, failure: HTTPException) -> Response[bytes]:
    status = failure.status_code
    if status >= HTTP_500_INTERNAL_SERVER_ERROR:
        return _unforeseen(request, failure)
    headers = None
    if status == HTTP_405_METHOD_NOT_ALLOWED:
        allowed = {k.lower(): v for k, v in (failure.headers or {}).items()}
        methods = allowed.get("allow", "").split(", ")
        headers = {"Allow": ", ".join(m for m in methods if m and m != "OPTIONS")}
    if isinstance(failure, RequestEntityTooLarge):
        return _refusal(status, "Request body is too large")
    return _refusal(status, _PHRASE.get(status, failure.detail), headers)


def _unforeseen(request: Asked, failure: Exception) -> Response[bytes]:
    """Say nothing outside; inside, say where it broke and never what was sent."""
    frames = traceback.extract_tb(failure.__traceback__)
    ours = [each for each in frames if "site-packages" not in each.filename]
    logger.error(
        "%s %s failed: %s at %s (correlation %s)",
        request.method,
        request.scope.get("path_template", "?"),
        type(failure).__name__,
        " < ".join(f"{Path(f.filename).stem}:{f.lineno}" for f in ours[:-6:-1]),
        correlation_of(request.scope),
        extra={"failure": failure},
    )
    return _refusal(HTTP_500_INTERNAL_SERVER_ERROR, "An unexpected error occurred")


def _refusal(
    status: int, detail: str | list[Item], headers: dict[str, str] | None = None
) -> Response[bytes]:
    return Response(
        content=msgspec.json.encode({"detail": detail}),
        status_code=status,
        headers=headers,
        media_type=MediaType.JSON,
    )


def _shown(item: Item) -> Item:
    """Make an item safe to send back: encodable, and not the whole request."""
    loc = [_text(part) if isinstance(part, str) else part for part in item["loc"]]
    ctx = {"ctx": msgspec.Raw(_encoded(item["ctx"]))} if "ctx" in item else {}
    return {
        "type": item["type"],
        "loc": loc,
        "msg": _text(item["msg"]),
        "input": _echo(item["input"]),
        **ctx,
    }


def _echo(value: Any) -> Any:
    if isinstance(value, bytes):
        value = value[:_ECHO].decode(errors="replace")
    encoded = _encoded(value)
    if len(encoded) <= _ECHO:
        return msgspec.Raw(encoded)
    return _text(value[: _ECHO // 4]) if isinstance(value, str) else None


def _encoded(value: Any) -> bytes:
    """Encode, or give null for what has no JSON: a lone surrogate, too deep a nest."""
    try:
        return msgspec.json.encode(value)
    except (ValueError, TypeError, RecursionError):
        return b"null"


def _text(text: str) -> str:
    """Replace what UTF-8 cannot hold."""
    return text.encode(errors="replace").decode()
