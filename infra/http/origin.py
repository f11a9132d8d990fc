"""Who asks and under which key, told to a write."""

from hashlib import sha256
from typing import Any

from litestar import Request

from commands.decide import Reason
from commands.ports import CommandIdentity
from domain.errors import Invalid
from domain.names import command_id
from domain.recorded import Cause
from infra.http.correlation import correlation_of, trace_parent_of
from infra.http.gate import caller_of
from infra.telemetry.under_way import note_command

MAX_KEY = 255
"""Longest ``Idempotency-Key`` in characters."""


class RequestOrigin:
    """Fulfils the ``Origin`` port for one request."""

    def __init__(self, request: Request[Any, Any, Any]) -> None:
        self._request = request

    async def reason(self, tenant: str, said: bytes | None = None) -> Reason:
        """Return cause and identity; a client's key never meets a processor's id.

        ``said`` is hashed instead of the body.

        Raises:
            Invalid: the ``Idempotency-Key`` is empty, too long or not printable; or
                the past was asked of a door that answers with what is there now.
        """
        self._refuse_past()
        scope = self._request.scope
        key = self._request.headers.get("idempotency-key")
        command = None
        if key is not None:
            if not (0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
                raise Invalid(
                    f"Idempotency-Key must be 1 to {MAX_KEY} printable characters"
                )
            command = CommandIdentity(
                command_id(tenant, f"client:{key}"), await self._hash(said)
            )
            note_command(scope, command.id)
        cause = Cause(
            actor=caller_of(scope).actor,
            correlation_id=correlation_of(scope),
            command_id=command.id if command is not None else None,
            trace_parent=trace_parent_of(scope),
        )
        return Reason(cause, command)

    def _refuse_past(self) -> None:
        """Refuse ``as_of`` where nothing takes it: get-or-create looks like a read."""
        sent = self._request.scope["query_string"]
        if not sent or "as_of" not in self._request.query_params:
            return
        taken = self._request.route_handler.opt.get("query")
        if "as_of" not in getattr(taken, "model_fields", {}):
            raise Invalid(
                "as_of is taken by reads and by chat only: a write happens now, and"
                " answers with what is there now"
            )

    async def _hash(self, said: bytes | None) -> bytes:
        """Return SHA-256 of method, path, query and body (architecture section 2)."""
        scope = self._request.scope
        head = f"{scope['method']}\n{scope['path']}\n".encode(errors="replace")
        body = await self._request.body() if said is None else said
        return sha256(head + scope["query_string"] + b"\n" + body).digest()
