"""Around the doors: names each request, and tells observers what became of it."""

import logging
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from infra.telemetry.observers import Answer, RequestObserver
from infra.telemetry.under_way import RequestWork, request_id_of, working

_LOG: Final = logging.getLogger("palimpsest.requests")

UNMATCHED: Final = "(unmatched)"
"""The endpoint of a request whose path names none."""


class Doors:
    """Wraps an application; every answer says its ``X-Request-Id``."""

    def __init__(self, app: ASGIApp, observers: Sequence[RequestObserver]) -> None:
        self._app = app
        self._observers = tuple(observers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        status = 499

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                told = (b"x-request-id", request_id_of(scope).encode())
                message["headers"] = [*message["headers"], told]
            await send(message)

        scope.setdefault("state", {})
        ends = [each.begin(scope) for each in self._observers]
        begun = perf_counter()
        with working(RequestWork(scope)):
            try:
                await self._app(scope, receive, noted)
            finally:
                if ends:
                    answer = _answer(scope, status, perf_counter() - begun)
                    for end in ends:
                        end(answer)


class RequestLines:
    """Writes a line of the process log for each request (``LOG_REQUESTS``)."""

    def begin(self, scope: HTTPScope) -> Callable[[Answer], None]:  # noqa: ARG002  named by its work
        """See ``RequestObserver``."""
        return _write


def _write(answer: Answer) -> None:
    about: dict[str, Any] = {
        "method": answer.method,
        "endpoint": answer.endpoint,
        "status": answer.status,
        "milliseconds": round(answer.seconds * 1_000, 1),
    }
    line = f"{answer.method} {answer.endpoint} {answer.status}"
    _LOG.info(line, extra={"about": about})


def _answer(scope: HTTPScope, status: int, seconds: float) -> Answer:
    return Answer(
        method=_METHODS.get(scope["method"], "OTHER"),
        endpoint=endpoint_of(scope),
        status=status,
        seconds=seconds,
    )


_METHODS: Final = {
    **{each: each for each in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")},
    "TRACE": "OPTIONS",
}
"""Methods as they are told; ``Threshold`` calls an OPTIONS nobody serves TRACE."""


def endpoint_of(scope: HTTPScope) -> str:
    """Return the template of a request's path: ``/v3/workspaces/{workspace}``."""
    template = scope.get("path_template")
    return template if isinstance(template, str) and template else UNMATCHED
