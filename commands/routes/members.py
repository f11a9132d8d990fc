"""Who is in a session, and what its members observe."""

from typing import Annotated

from litestar import Response, delete, post, put
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT
from pydantic import BaseModel, Field, RootModel

from commands.membership import ChangeRole, SetPeers, change_member, set_peers
from commands.routes.ports import GivenOrigin, GivenParse, GivenWrite
from commands.routes.reply import done, reply
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


class NamedPeers(RootModel[dict[str, SessionPeer]]):
    """Body of E23 and E24: peers by id."""

    root: Annotated[dict[str, SessionPeer], Field(max_length=MAX_PEERS)]


class RemovedPeers(RootModel[list[str]]):
    """Body of E25: peer ids."""

    root: Annotated[list[str], Field(max_length=10 * MAX_PEERS)]


@post(_PATH, opt={"body": NamedPeers}, summary="Add peers", status_code=HTTP_200_OK)
async def post_peers(
    workspace: FromPath[str],
    session: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[SessionBody]:
    """E23: the session, made if need be, with these peers in it."""
    body = await parse.body(NamedPeers)
    command = SetSession(
        workspace=workspace,
        session=session,
        peers={name: peer.role() for name, peer in body.root.items()},
    )
    written = await set_session(write, command, await origin.reason(workspace))
    return reply(session_body(workspace, session, written.state), written.position)


@put(_PATH, opt={"body": NamedPeers}, summary="Set peers")
async def put_peers(
    workspace: FromPath[str],
    session: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[SessionBody]:
    """E24: the session with these peers in it and no others."""
    body = await parse.body(NamedPeers)
    command = SetPeers(
        workspace=workspace,
        session=session,
        peers={name: peer.role() for name, peer in body.root.items()},
    )
    written = await set_peers(write, command, await origin.reason(workspace))
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


@put(
    _PATH + "/{peer:str}/config",
    opt={"body": SessionPeer},
    summary="Set what a peer observes",
    status_code=HTTP_204_NO_CONTENT,
)
async def put_session_peer_config(
    workspace: FromPath[str],
    session: FromPath[str],
    peer: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[None]:
    """E28: what is null or left out stays."""
    body = await parse.body(SessionPeer)
    command = ChangeRole(
        workspace=workspace, session=session, peer=peer, role=body.role()
    )
    written = await change_member(write, command, await origin.reason(workspace))
    return done(written.position)
