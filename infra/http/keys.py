"""Make a key over HTTP (E52): for admins, where keys are asked for at all."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from litestar.params import SkipValidation
from litestar.status_codes import HTTP_200_OK, HTTP_405_METHOD_NOT_ALLOWED
from pydantic import BaseModel, Field

from domain.errors import Invalid
from domain.names import MAX_NAME
from infra.auth.claims import Claims
from infra.http.gate import Gate
from infra.http.validation import RequestParse
from projections.ports import Views


class KeyQuery(BaseModel):
    """What the key shall cover; an empty text is no restriction (HC 4.2)."""

    workspace_id: str | None = Field(default=None, max_length=MAX_NAME)
    peer_id: str | None = Field(default=None, max_length=MAX_NAME)
    session_id: str | None = Field(default=None, max_length=MAX_NAME)
    expires_at: datetime | None = None

    def claims(self) -> Claims:
        """Return them as claims; nobody checks that what they name exists.

        Raises:
            Invalid: nothing is named, or a peer or session without its workspace.
        """
        workspace, peer = self.workspace_id or None, self.peer_id or None
        session = self.session_id or None
        if workspace is None and peer is None and session is None:
            raise Invalid(
                "At least one of workspace_id, peer_id, or session_id must be provided"
            )
        if workspace is None:
            raise Invalid(
                "workspace_id is required when scoping a key to a peer or session"
            )
        return Claims(workspace=workspace, peer=peer, session=session)


class Key(msgspec.Struct, frozen=True):
    """A new key."""

    key: str


def keys_route(gate: Gate | None, views: Views | None) -> HTTPRouteHandler:
    """Return ``POST /v3/keys``; without a gate keys would open nothing: 405."""

    @post("/v3/keys", opt={"query": KeyQuery}, status_code=HTTP_200_OK, summary="Make")
    async def post_key(
        parse: SkipValidation[NamedDependency[RequestParse]],
    ) -> Response[Key | dict[str, Any]]:
        """E52: a signed token; it is shown this once and kept nowhere."""
        if gate is None:
            disabled = {"detail": "Feature is disabled"}
            return Response(disabled, status_code=HTTP_405_METHOD_NOT_ALLOWED)
        query = parse.query(KeyQuery)
        key = gate.make_key(query.claims(), query.expires_at)
        headers = {"Cache-Control": "no-store"}
        if views is not None:
            headers["X-Position"] = str(views.position)
        return Response(Key(key), headers=headers)

    return post_key
