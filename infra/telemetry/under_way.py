"""What is under way in a task: the request or delivery a log line is about."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec
from litestar.types import HTTPScope

from domain.names import MAX_NAME, NAME_PATTERN
from infra.http.correlation import correlation_of, trace_parent_of
from processors.processor import Batch

_ID: Final = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_NAME: Final = re.compile(NAME_PATTERN)
_COMMAND: Final = "palimpsest_command"
_REQUEST: Final = "palimpsest_request"


class Work(Protocol):
    """Something under way that can name itself."""

    def named(self) -> Mapping[str, Any]:
        """Return ids, names and positions by field; never what anybody said."""
        ...


_UNDER_WAY: ContextVar[Work | None] = ContextVar("palimpsest_under_way", default=None)


def under_way() -> Mapping[str, Any]:
    """Return what this task works on, by field; nothing if that is nobody's."""
    work = _UNDER_WAY.get()
    return {} if work is None else work.named()


@contextmanager
def working(work: Work) -> Iterator[None]:
    """Let lines of the log written inside be about this work."""
    token = _UNDER_WAY.set(work)
    try:
        yield
    finally:
        _UNDER_WAY.reset(token)


def request_id_of(scope: HTTPScope) -> str:
    """Return a request's id: the ``X-Request-Id`` it came with, else its story's."""
    state = scope["state"]
    if _REQUEST not in state:
        sent = next(
            (value for name, value in scope["headers"] if name == b"x-request-id"), b""
        )
        fits = _ID.fullmatch(sent) is not None
        state[_REQUEST] = sent.decode() if fits else str(correlation_of(scope))
    request: str = state[_REQUEST]
    return request


def note_command(scope: Mapping[str, Any], command: UUID) -> None:
    """Remember under which command id a request is carried out."""
    scope["state"][_COMMAND] = command


def names_of(scope: HTTPScope) -> dict[str, str]:
    """Return what a routed path names, by parameter.

    Text that can be no name is left out: it is somebody's words.
    """
    return {
        what: name
        for what, name in (scope.get("path_params") or {}).items()
        if isinstance(name, str) and len(name) <= MAX_NAME and _NAME.fullmatch(name)
    }


class RequestWork:
    """A request under way."""

    def __init__(self, scope: HTTPScope) -> None:
        self._scope = scope

    def named(self) -> Mapping[str, Any]:
        """See ``Work``; the tenant is known once the request is routed."""
        scope = self._scope
        told: dict[str, Any] = {"request": request_id_of(scope)}
        if (command := scope["state"].get(_COMMAND)) is not None:
            told["command"] = str(command)
        if (tenant := names_of(scope).get("workspace")) is not None:
            told["tenant"] = tenant
        if (parent := trace_parent_of(scope)) is not None:
            told["trace"] = parent[3:35]
        return told


class DeliveryWork(msgspec.Struct, frozen=True):
    """Events being handed to a processor."""

    processor: str
    batch: Batch

    def named(self) -> Mapping[str, Any]:
        """See ``Work``; all events of a delivery belong to one ordering key."""
        first, last = self.batch.events[0], self.batch.events[-1]
        told: dict[str, Any] = {
            "processor": self.processor,
            "tenant": first.tenant,
            "position": last.position,
            "correlation": str(last.cause.correlation_id),
        }
        if (parent := last.cause.trace_parent) is not None:
            told["trace"] = parent[3:35]
        return told
