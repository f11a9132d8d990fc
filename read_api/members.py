"""What one member of a session observes (E27)."""

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from domain.errors import Invalid, NotFound
from projections.as_of import holding
from projections.condition import Bind
from projections.members import get_member
from projections.ports import Database, Views
from read_api.moment import ReadQuery, answer, reached
from read_api.ports import Caller, Injected, Parse


class SessionPeerConfig(msgspec.Struct, frozen=True):
    """A membership's flags, null where unset: exactly these, clients check them."""

    observe_me: bool | None
    observe_others: bool | None


@get(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}/peers/{peer:str}/config",
    opt={"query": ReadQuery},
)
async def get_session_peer_config(
    workspace: FromPath[str],
    session: FromPath[str],
    peer: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
    caller: Injected[Caller],
) -> Response[SessionPeerConfig]:
    """Return a member's flags, also of one who left (E27)."""
    query = parse.query(ReadQuery)
    caller.check_own(peer)
    moment = await reached(views, query)
    bind = Bind(workspace, peer)
    there = holding(moment.as_of)(bind)
    async with database.acquire() as db:
        is_scope = await db.fetchval(
            f"SELECT is_scope FROM peer WHERE tenant = $1 AND peer = $2 AND {there}",  # noqa: S608  every value is bound
            *bind.values,
        )
        member = await get_member(db, workspace, session, peer, moment.as_of)
    if is_scope is None:
        raise NotFound(f"Peer {peer} not found in workspace {workspace}")
    if is_scope:
        raise Invalid(f"Peer name(s) {[peer]} are scopes. Use the scopes routes.")
    if member is None:
        raise NotFound(
            f"Session peer {peer} not found in session {session} in workspace"
            f" {workspace}"
        )
    flags = SessionPeerConfig(member.observe_me, member.observe_others)
    return answer(flags, moment)
