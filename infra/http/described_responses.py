"""The statuses, headers and refusals of a door, for its description (HC 1.11)."""

from collections.abc import Iterator
from typing import Any, Final

from litestar.handlers import HTTPRouteHandler

JSON: Final = "application/json"

POSITION: Final = {
    "X-Position": {
        "description": "The position of the log the answer shows at least",
        "schema": {"type": "integer"},
    }
}
"""The header of every answer to a write or a read under /v3."""

IDEMPOTENCY_KEY: Final = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "The same key with the same request is carried out once",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
"""The header of every write."""

_DETAIL: Final = {
    "type": "object",
    "properties": {"detail": {"type": "string"}},
    "required": ["detail"],
}
_ITEMS: Final = {
    "type": "object",
    "properties": {
        "detail": {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "object"}},
            ]
        }
    },
    "required": ["detail"],
}
_REFUSALS: Final = {
    400: "Refused as things stand",
    401: "No key, or not one for this",
    402: "The workspace's budget for models is used up; the detail says until when",
    404: "Not found",
    405: "The feature is off",
    409: "In conflict with what is there",
    413: "Too large",
    415: "Of a kind that cannot be read",
    503: "Busy, or what it needs is away; `Retry-After` says when to ask again",
    504: "The views did not reach `min_position` in time",
}


def describe_responses(
    path: str, method: str, handler: HTTPRouteHandler, answered: dict[str, Any]
) -> dict[str, Any]:
    """Return the responses of an operation by status; ``answered`` is its content."""
    done: dict[str, Any] = {"description": "The answer"}
    if is_ours(path):
        done["headers"] = POSITION
    if handler.status_code != 204:  # noqa: PLR2004  no content
        done["content"] = answered
    made = {str(handler.status_code): done}
    if handler.opt.get("existing"):
        made["200"] = done | {"description": "It was there"}
    refused = {
        str(status): {"description": _REFUSALS[status], "content": _content(_DETAIL)}
        for status in _refused(path, method, handler)
    }
    if is_ours(path):
        does_not_fit = "The request does not fit; `detail` says where"
        refused["422"] = {"description": does_not_fit, "content": _content(_ITEMS)}
    return made | refused


def is_ours(path: str) -> bool:
    """Tell whether a path is of the API proper."""
    return path.startswith("/v3/")


def is_write(path: str, method: str, handler: HTTPRouteHandler) -> bool:
    """Tell whether an operation changes something: those that read can wait."""
    query = handler.opt.get("query")
    waits = query is not None and "min_position" in query.model_fields
    return is_ours(path) and method != "get" and not waits and path != "/v3/keys"


def _refused(path: str, method: str, handler: HTTPRouteHandler) -> Iterator[int]:
    if not is_ours(path):
        yield from (503,) if path == "/health" else (404,) * (path == "/metrics")
        return
    yield from (401, 404, 503)
    if path.endswith("/chat"):
        yield 402
    if is_write(path, method, handler):
        yield from (400, 409)
    elif path == "/v3/keys":
        yield 405
    else:
        yield 504
    if handler.opt.get("body") or handler.opt.get("form"):
        yield 413
    if handler.opt.get("form"):
        yield 415


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {JSON: {"schema": schema}}
