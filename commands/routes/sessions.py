"""Sessions: get or create one, set one up."""

from typing import Annotated

from litestar import Response, post, put
from litestar.params import FromPath
from pydantic import AliasChoices, BaseModel, Field

from commands.routes.free_json import Metadata
from commands.routes.members import MAX_PEERS, SessionPeer
from commands.routes.names import NewName
from commands.routes.ports import GivenCaller, GivenOrigin, GivenParse, GivenWrite
from commands.routes.reply import reply
from commands.routes.scopes import ScopeName
from commands.routes.session_body import SessionBody, session_body
from commands.routes.settings import Configuration, stored
from commands.session import SetSession, set_session
from domain.session import SessionCreated

MAX_SCOPES = 100
"""Most scopes a request may name (HC E19)."""

Peers = Annotated[dict[str, SessionPeer], Field(max_length=MAX_PEERS)]


class SessionCreate(BaseModel):
    """Body of E19."""

    id: NewName
    metadata: Metadata | None = None
    peers: Peers | None = Field(
        default=None, validation_alias=AliasChoices("peers", "peer_names")
    )
    configuration: Configuration | None = None
    scopes: Annotated[list[ScopeName], Field(max_length=MAX_SCOPES)] | None = None


class SessionUpdate(BaseModel):
    """Body of E20."""

    metadata: Metadata | None = None
    configuration: Configuration | None = None


@post(
    "/v3/workspaces/{workspace:str}/sessions",
    opt={"body": SessionCreate, "existing": True},
    summary="Get or create",
)
async def post_session(
    workspace: FromPath[str],
    parse: GivenParse,
    caller: GivenCaller,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[SessionBody]:
    """E19: 201 when made, 200 when it was there; peers are added."""
    body = await parse.body(SessionCreate)
    caller.check_names(workspace, session=body.id)
    if body.scopes is not None:
        caller.refuse_narrow("Scope membership requires a workspace-level key")
    command = SetSession(
        workspace=workspace,
        session=body.id,
        metadata=body.metadata,
        configuration=stored(body.configuration),
        peers={name: peer.role() for name, peer in (body.peers or {}).items()},
        scopes=tuple(body.scopes or ()),
    )
    written = await set_session(write, command, await origin.reason(workspace))
    made = any(isinstance(event, SessionCreated) for event in written.events)
    answer = session_body(workspace, body.id, written.state)
    return reply(answer, written.position, created=made)


@put(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}",
    opt={"body": SessionUpdate},
    summary="Set up",
)
async def put_session(
    workspace: FromPath[str],
    session: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[SessionBody]:
    """E20: always 200."""
    body = await parse.body(SessionUpdate)
    command = SetSession(
        workspace=workspace,
        session=session,
        metadata=body.metadata,
        configuration=stored(body.configuration),
    )
    written = await set_session(write, command, await origin.reason(workspace))
    return reply(session_body(workspace, session, written.state), written.position)
