"""Peers: get or create one, set one up."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, post, put
from litestar.params import FromPath
from pydantic import BaseModel

from commands.peer import SetPeer, set_peer
from commands.routes.free_json import FreeObject, Metadata
from commands.routes.names import NewName
from commands.routes.ports import GivenCaller, GivenOrigin, GivenParse, GivenWrite
from commands.routes.reply import reply
from commands.write import Written
from domain.peer import Peer, PeerCreated


class PeerCreate(BaseModel):
    """Body of E09."""

    id: NewName
    metadata: Metadata | None = None
    configuration: FreeObject | None = None


class PeerUpdate(BaseModel):
    """Body of E10."""

    metadata: Metadata | None = None
    configuration: FreeObject | None = None


class PeerBody(msgspec.Struct, frozen=True):
    """A peer as it is answered (HC 1.17); ``uid`` is opaque (HC 7.5)."""

    id: str
    workspace_id: str
    created_at: datetime | None
    metadata: dict[str, Any]
    configuration: dict[str, Any]
    uid: str


@post(
    "/v3/workspaces/{workspace:str}/peers",
    opt={"body": PeerCreate, "existing": True},
    summary="Get or create",
)
async def post_peer(
    workspace: FromPath[str],
    parse: GivenParse,
    caller: GivenCaller,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[PeerBody]:
    """E09: 201 when made, 200 when it was there; what is sent replaces."""
    body = await parse.body(PeerCreate)
    caller.check_names(workspace, peer=body.id)
    command = SetPeer(
        workspace=workspace,
        peer=body.id,
        metadata=body.metadata,
        configuration=body.configuration,
    )
    written = await set_peer(write, command, await origin.reason(workspace))
    made = any(isinstance(event, PeerCreated) for event in written.events)
    return reply(_body(workspace, body.id, written), written.position, created=made)


@put(
    "/v3/workspaces/{workspace:str}/peers/{peer:str}",
    opt={"body": PeerUpdate},
    summary="Set up",
)
async def put_peer(
    workspace: FromPath[str],
    peer: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[PeerBody]:
    """E10: always 200."""
    body = await parse.body(PeerUpdate)
    command = SetPeer(
        workspace=workspace,
        peer=peer,
        metadata=body.metadata,
        configuration=body.configuration,
    )
    written = await set_peer(write, command, await origin.reason(workspace))
    return reply(_body(workspace, peer, written), written.position)


def _body(workspace: str, peer: str, written: Written[Peer]) -> PeerBody:
    state = written.state
    return PeerBody(
        peer,
        workspace,
        state.created_at,
        state.metadata,
        state.configuration,
        state.uid,
    )
