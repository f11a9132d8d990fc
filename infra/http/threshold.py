"""What is settled before any door: trailing slashes and foreign preflights."""

import re
from collections.abc import Iterable, Sequence

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

_PARAMETER = re.compile(r"\{[^}]+\}")
_SERVED_WITH_SLASH = re.compile(r"/v3/workspaces/[^/]+/sessions/[^/]+/messages/")


class Threshold:
    """Wraps the application; everything it does not settle goes in unchanged.

    A surplus slash at the end of a known path is a 307 to the path without it,
    except where messages are created, which is served as it is (HC 1.1, X15). A path
    with an empty part names nothing.
    """

    def __init__(self, app: Litestar, allowed_origins: Sequence[str]) -> None:
        self.litestar = app
        self._app: ASGIApp = app
        self._paths = _pattern(route.path for route in app.routes)
        self._origins = {origin.encode("latin-1") for origin in allowed_origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == ScopeType.HTTP:
            path = scope["path"]
            if "//" in path:
                await _not_found(send)
                return
            if path.endswith("/") and len(path) > 1:
                if not (
                    scope["method"] == "POST" and _SERVED_WITH_SLASH.fullmatch(path)
                ):
                    await self._without_slash(scope, send)
                    return
            elif scope["method"] == "OPTIONS" and self._is_foreign(scope):
                plain = [(b"content-type", b"text/plain; charset=utf-8")]
                await _send(send, 400, plain, b"Disallowed CORS origin")
                return
        await self._app(scope, receive, send)

    async def _without_slash(self, scope: HTTPScope, send: Send) -> None:
        if self._paths.fullmatch(scope["path"][:-1]) is None:
            await _not_found(send)
            return
        raw = scope.get("raw_path") or scope["path"].encode()
        location = raw.partition(b"?")[0].rstrip(b"/")
        if scope["query_string"]:
            location += b"?" + scope["query_string"]
        await _send(send, 307, [(b"location", location)], b"")

    def _is_foreign(self, scope: HTTPScope) -> bool:
        """Tell whether this is a preflight from an origin nobody listed (HC 1.15)."""
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        return (
            b"access-control-request-method" in headers
            and origin is not None
            and origin not in self._origins
            and b"*" not in self._origins
        )


def _pattern(paths: Iterable[str]) -> re.Pattern[str]:
    """Return what matches any known path."""
    known = {
        "[^/]+".join(re.escape(part) for part in _PARAMETER.split(path))
        for path in paths
    }
    return re.compile("|".join(sorted(known)))


async def _not_found(send: Send) -> None:
    json = [(b"content-type", b"application/json")]
    await _send(send, 404, json, b'{"detail":"Not Found"}')


async def _send(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, length],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
