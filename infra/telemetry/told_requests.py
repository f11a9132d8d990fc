"""What requests tell outside that no event does: contexts read, files taken."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs

from litestar.types import HTTPScope

from infra.telemetry.emitter import Emitter
from infra.telemetry.envelopes import made_id
from infra.telemetry.observers import Answer
from infra.telemetry.under_way import names_of, request_id_of

_SESSION: Final = "/v3/workspaces/{workspace}/sessions/{session}"
_CONTEXTS: Final = {
    f"{_SESSION}/context": "session",
    "/v3/workspaces/{workspace}/peers/{peer}/context": "peer",
}
_UPLOAD: Final = f"{_SESSION}/messages/upload"

_NUMBERS: Final = ("tokens", "search_top_k", "max_conclusions")
_FLAGS: Final = ("include_most_frequent", "limit_to_session")


class ToldRequests:
    """Fulfils ``RequestObserver``: tells of those that went well."""

    def __init__(self, emitter: Emitter) -> None:
        self._emitter = emitter

    def begin(self, scope: HTTPScope) -> Callable[[Answer], None]:
        """See ``RequestObserver``."""

        def end(answer: Answer) -> None:
            if answer.status not in range(200, 300):
                return
            if answer.method == "GET" and answer.endpoint in _CONTEXTS:
                data = _context(scope, _CONTEXTS[answer.endpoint])
                self._tell(scope, "context.retrieved", data, answer)
            elif answer.method == "POST" and answer.endpoint == _UPLOAD:
                self._tell(scope, "file.uploaded", _named(scope), answer)

        return end

    def _tell(
        self, scope: HTTPScope, type_: str, data: dict[str, Any], answer: Answer
    ) -> None:
        at = datetime.now(UTC)
        id_ = made_id(type_, request_id_of(scope), at, 1)
        told = {**data, "duration_ms": round(answer.seconds * 1_000, 3)}
        event = self._emitter.envelopes.write(id_, type_, 1, at, told)
        self._emitter.add(type_, event)


def _named(scope: HTTPScope) -> dict[str, Any]:
    return {
        f"{what}_name": name
        for what, name in names_of(scope).items()
        if what in {"workspace", "session", "peer"}
    }


def _context(scope: HTTPScope, of: str) -> dict[str, Any]:
    """Say what was asked for: numbers and whether, never what was searched."""
    sent = parse_qs(scope["query_string"].decode("latin-1"))
    asked = {name: values[-1] for name, values in sent.items()}
    numbers = {
        name: int(asked[name]) for name in _NUMBERS if asked.get(name, "").isdecimal()
    }
    return {
        **_named(scope),
        "scope": of,
        **numbers,
        **{name: asked.get(name) == "true" for name in _FLAGS},
        "search_query_given": "search_query" in asked,
        "perspective_given": "peer_perspective" in asked,
    }
