"""What is settled before any door: trailing slashes and preflights."""

import re
from collections.abc import Iterable, Sequence

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

_PARAMETER = re.compile(r"\{[^}]+\}")
_SERVED_WITH_SLASH = re.compile(r"/v3/workspaces/[^/]+/sessions/[^/]+/messages/")
_UNSERVED = "TRACE"
_PLAIN = [(b"content-type", b"text/plain; charset=utf-8"), (b"vary", b"Origin")]
_PREFLIGHT = [
    *_PLAIN,
    (b"access-control-allow-methods", b"DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
    (b"access-control-allow-credentials", b"true"),
    (b"access-control-max-age", b"600"),
]


class Threshold:
    """Wraps the application; everything it does not settle goes in unchanged.

    A surplus slash at the end of a known path is a 307 to the path without it,
    except where messages are created, which is served as it is (HC 1.1, X15). A path
    with an empty part names nothing. A preflight is answered here, of any path
    (HC 1.15); OPTIONS alone is a method like any other that a path does not serve.
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
            if scope["method"] == "OPTIONS":
                if await self._answers_preflight(scope, send):
                    return
                scope["method"] = _UNSERVED  # type: ignore[typeddict-item]  # any name nobody serves is 405
            if "//" in path:
                await _not_found(send)
                return
            served = scope["method"] == "POST" and _SERVED_WITH_SLASH.fullmatch(path)
            if path.endswith("/") and len(path) > 1 and not served:
                await self._without_slash(scope, send)
                return
        await self._app(scope, receive, send)

    async def _without_slash(self, scope: HTTPScope, send: Send) -> None:
        raw = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
        spelled_out = raw.endswith(b"/")  # "%2F" would be sent back to itself for ever
        if not spelled_out or self._paths.fullmatch(scope["path"][:-1]) is None:
            await _not_found(send)
            return
        location = raw.rstrip(b"/")
        if scope["query_string"]:
            location += b"?" + scope["query_string"]
        await _send(send, 307, [(b"location", location)], b"")

    async def _answers_preflight(self, scope: HTTPScope, send: Send) -> bool:
        """Tell whether this was a preflight, which is answered (HC 1.15)."""
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        if origin is None or b"access-control-request-method" not in headers:
            return False
        if origin not in self._origins and b"*" not in self._origins:
            await _send(send, 400, _PLAIN, b"Disallowed CORS origin")
            return True
        allowed = [(b"access-control-allow-origin", origin)]
        wanted = headers.get(b"access-control-request-headers")
        if wanted is not None:
            allowed.append((b"access-control-allow-headers", wanted))
        await _send(send, 200, [*_PREFLIGHT, *allowed], b"OK")
        return True


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
