"""Who is in a session: let peers join and leave."""

from typing import Annotated

from litestar import Response, delete, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK
from pydantic import BaseModel, Field, RootModel

from commands.routes.ports import GivenOrigin, GivenParse, GivenWrite
from commands.routes.reply import reply
from commands.routes.session_body import SessionBody, session_body
from commands.session import RemovePeers, SetSession, remove_peers, set_session
from domain.membership import Role

MAX_PEERS = 1_000
"""Most peers one request may name: each is a stream of its own in the append."""

_PATH = "/v3/workspaces/{workspace:str}/sessions/{session:str}/peers"


class SessionPeer(BaseModel):
    """A member's configuration; other keys are ignored (HC 5.1)."""

    observe_me: bool | None = None
    observe_others: bool | None = None

    def role(self) -> Role:
        """Return the flags."""
        return Role(self.observe_me, self.observe_others)


class AddedPeers(RootModel[dict[str, SessionPeer]]):
    """Body of E23: peers by id."""

    root: Annotated[dict[str, SessionPeer], Field(max_length=MAX_PEERS)]


class RemovedPeers(RootModel[list[str]]):
    """Body of E25: peer ids."""

    root: Annotated[list[str], Field(max_length=10 * MAX_PEERS)]


@post(_PATH, opt={"body": AddedPeers}, summary="Add peers", status_code=HTTP_200_OK)
async def post_peers(
    workspace: FromPath[str],
    session: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[SessionBody]:
    """E23: the session, made if need be, with these peers in it."""
    body = await parse.body(AddedPeers)
    command = SetSession(
        workspace=workspace,
        session=session,
        peers={name: peer.role() for name, peer in body.root.items()},
    )
    written = await set_session(write, command, await origin.reason(workspace))
    return reply(session_body(workspace, session, written.state), written.position)


@delete(
    _PATH, opt={"body": RemovedPeers}, summary="Remove peers", status_code=HTTP_200_OK
)
async def delete_peers(
    workspace: FromPath[str],
    session: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[SessionBody]:
    """E25: the session without these peers."""
    body = await parse.body(RemovedPeers)
    command = RemovePeers(workspace=workspace, session=session, peers=body.root)
    written = await remove_peers(write, command, await origin.reason(workspace))
    return reply(session_body(workspace, session, written.state), written.position)
