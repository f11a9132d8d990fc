"""Lets a request in by its key, after routing and before anything is read of it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import HTTPScope, Scope

from infra.auth.claims import Claims
from infra.auth.errors import Unauthorized
from infra.auth.keyring import Keyring
from infra.http.caller import ANYONE, NOT_PERMISSIONED, AreActive, RequestCaller
from infra.http.policy import Door, door_of
from infra.http.validation import is_json, read_leniently

_KEY: Final = "palimpsest_caller"
_SESSION_DOORS: Final = {Door.SESSION_READ, Door.SESSION_WRITE}


class Gate:
    """A guard of Litestar that knows the keys and the table of ``policy.py``."""

    def __init__(
        self, keyring: Keyring, are_active: AreActive, clock: Callable[[], datetime]
    ) -> None:
        self._keyring = keyring
        self._are_active = are_active
        self._clock = clock

    def make_key(self, claims: Claims, expires_at: datetime | None) -> str:
        """Return a new key that this gate will take."""
        return self._keyring.make(claims, made_at=self._clock(), expires_at=expires_at)

    async def __call__(
        self, connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        """Let pass, or refuse; JSON that is none is told first (HC 1.11).

        Raises:
            Unauthorized
            ValidationFailed: the body is not JSON.
        """
        scope = connection.scope
        method = str(scope.get("method"))
        door = door_of(method, scope["path_template"])
        if door is Door.OPEN or method == "OPTIONS":
            return
        try:
            claims = self._keyring.read(_key_of(scope), now=self._clock())
            await self._check(claims, door, connection.path_params)
        except Unauthorized:
            if handler.opt.get("body") is not None:
                await _check_syntax(connection)
            raise
        scope["state"][_KEY] = RequestCaller(claims, self._are_active)

    async def _check(self, claims: Claims, door: Door, named: dict[str, Any]) -> None:
        """Decide by the narrowest claim (HC 4.3)."""
        if claims.admin or door is Door.SELF:
            return
        if door is Door.ADMIN:
            raise Unauthorized("Resource requires admin privileges")
        workspace = named.get("workspace")
        if claims.workspace is None or claims.workspace != workspace:
            raise Unauthorized(NOT_PERMISSIONED)
        if claims.session is not None:
            covered = door in _SESSION_DOORS and named.get("session") == claims.session
        elif claims.peer is not None:
            covered = (
                door is Door.PEER and named.get("peer") == claims.peer
            ) or await self._reads_as_member(claims, door, named)
        else:
            covered = True
        if not covered:
            raise Unauthorized(NOT_PERMISSIONED)

    async def _reads_as_member(
        self, claims: Claims, door: Door, named: dict[str, Any]
    ) -> bool:
        if door is not Door.SESSION_READ or claims.workspace is None:
            return False
        peer = claims.peer or ""
        return await self._are_active(claims.workspace, peer, [named["session"]])


def caller_of(scope: HTTPScope | Scope) -> RequestCaller:
    """Return who asks; where no gate stands, that is anyone."""
    caller: RequestCaller = scope["state"].get(_KEY, ANYONE)
    return caller


def _key_of(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, key = value.decode("latin-1").strip().partition(" ")
            if scheme.lower() == "bearer" and key.strip():
                return str(key.strip())
            break
    raise Unauthorized("No access token provided")


async def _check_syntax(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    if not is_json(connection.headers.get("content-type", "")):
        return
    assert isinstance(connection, Request)  # noqa: S101  doors with bodies are HTTP
    body = await connection.body()
    if not body:
        return
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        read_leniently(body)
