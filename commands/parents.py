"""What a write needs to exist is made on demand, in the same append (HC 1.5)."""

from collections.abc import Iterable

from commands.ports import Overloaded
from commands.proposal import Proposal
from commands.watched import Watched
from commands.write import Birth
from domain.errors import Invalid, NotFound
from domain.names import (
    MAX_NAME,
    NAME_PATTERN,
    check_peer_name,
    is_name,
    is_reserved,
    peer_stream,
    session_stream,
    workspace_stream,
)
from domain.observed import refuse_scope
from domain.peer import Peer, PeerCreated, create_peer, evolve_peer
from domain.session import Session, SessionCreated, evolve_session, open_session
from domain.workspace import (
    Workspace,
    WorkspaceCreated,
    create_workspace,
    evolve_workspace,
)


def watch_workspace(workspace: str) -> Watched[Workspace]:
    """Look at a workspace that may have to be made.

    Raises:
        Invalid: its name could never be one (HC 1.2).
    """
    if not is_name(workspace):
        raise Invalid(_malformed("Workspace", workspace))
    return Watched(workspace_stream(workspace), Workspace(), evolve_workspace)


def watch_named_workspace(
    workspace: str, *, despite_damage: bool = False
) -> Watched[Workspace]:
    """Look at a workspace where a malformed name just names none.

    Raises:
        NotFound: its name could never be one.
    """
    if not is_name(workspace):
        raise NotFound(f"Workspace {workspace} not found")
    stream = workspace_stream(workspace)
    return Watched(stream, Workspace(), evolve_workspace, despite_damage)


def watch_session(workspace: str, session: str) -> Watched[Session]:
    """Look at a session that may have to be made.

    Raises:
        Invalid: its name could never be one (HC 1.2).
    """
    if not is_name(session):
        raise Invalid(_malformed("Session", session))
    return Watched(session_stream(workspace, session), Session(), evolve_session)


def watch_named_session(
    workspace: str, session: str, *, despite_damage: bool = False
) -> Watched[Session]:
    """Look at a session where a malformed name just names none.

    Raises:
        NotFound: its name could never be one.
    """
    if not (is_name(workspace) and is_name(session)):
        raise NotFound(f"Session {session} not found in workspace {workspace}")
    stream = session_stream(workspace, session)
    return Watched(stream, Session(), evolve_session, despite_damage)


def watch_peer(workspace: str, peer: str) -> Watched[Peer]:
    """Look at a peer that may have to be made.

    A name that only a peer of long ago may have is refused when one would be made,
    not here (HC 1.2).

    Raises:
        Invalid: its name cannot even be looked for.
    """
    if not _may_name_peer(peer):
        check_peer_name(peer)
    return Watched(peer_stream(workspace, peer), Peer(), evolve_peer)


def watch_named_peer(workspace: str, peer: str) -> Watched[Peer]:
    """Look at a peer where an impossible name just names none.

    Raises:
        NotFound: its name, or the workspace's, could never be one.
    """
    if not (is_name(workspace) and _may_name_peer(peer)):
        raise NotFound(f"Peer {peer} not found in workspace {workspace}")
    return Watched(peer_stream(workspace, peer), Peer(), evolve_peer)


def watch_peers(workspace: str, peers: Iterable[str]) -> dict[str, Watched[Peer]]:
    """Look at peers by name, each once."""
    return {peer: watch_peer(workspace, peer) for peer in dict.fromkeys(peers)}


def watch_reserved(workspace: str, peers: Iterable[str]) -> dict[str, Watched[Peer]]:
    """Look at those of the peers whose names lie in the scopes' namespace."""
    return {
        peer: watch_named_peer(workspace, peer)
        for peer in dict.fromkeys(peers)
        if is_reserved(peer) and _may_name_peer(peer)
    }


def found_workspace(
    proposal: Proposal, workspace: Watched[Workspace], birth: Birth
) -> None:
    """Make the workspace, bare, unless it exists.

    Raises:
        Overloaded: it is being erased; in a moment it may be made anew.
    """
    check_settled(proposal, workspace)
    if proposal.state(workspace).exists:
        return
    created = WorkspaceCreated(
        workspace=workspace.stream.tenant,
        uid=birth.uid(workspace),
        created_at=birth.at,
    )
    proposal.record(workspace, create_workspace(proposal.state(workspace), created))


def check_settled(proposal: Proposal, workspace: Watched[Workspace]) -> None:
    """Send away who would write in a workspace that is just being erased.

    Raises:
        Overloaded: nothing was written; it takes a moment (HC E04).
    """
    if proposal.state(workspace).erasing:
        raise Overloaded(retry_after=1.0)


def found_session(
    proposal: Proposal, named: str, session: Watched[Session], birth: Birth
) -> None:
    """Open the session, bare, unless it exists."""
    if proposal.state(session).exists:
        return
    opened = SessionCreated(
        workspace=session.stream.tenant,
        session=named,
        uid=birth.uid(session),
        created_at=birth.at,
    )
    proposal.record(session, open_session(proposal.state(session), opened))


def found_peers(
    proposal: Proposal, peers: dict[str, Watched[Peer]], birth: Birth
) -> None:
    """Make those of the peers that do not exist."""
    for name, peer in peers.items():
        if proposal.state(peer).exists:
            continue
        created = PeerCreated(
            workspace=peer.stream.tenant,
            peer=name,
            uid=birth.uid(peer),
            created_at=birth.at,
        )
        proposal.record(peer, create_peer(proposal.state(peer), created))


def refuse_scopes(proposal: Proposal, peers: dict[str, Watched[Peer]]) -> None:
    """Refuse scopes among those who are to speak or take part (HC 2.6).

    Raises:
        Invalid
    """
    for name, peer in peers.items():
        refuse_scope(proposal.state(peer), name)


def _may_name_peer(peer: str) -> bool:
    """Tell whether a peer, of today or of long ago, may have this name."""
    if not 0 < len(peer) <= MAX_NAME or "\x00" in peer:
        return False
    return peer.isascii() or not any("\ud800" <= each <= "\udfff" for each in peer)


def _malformed(kind: str, name: str) -> str:
    """Say what is wrong with a name, in the manner of HC 1.12."""
    if "\x00" in name:
        return f"{kind} name(s) must not contain NUL (0x00) bytes"
    if len(name) > MAX_NAME:
        return f"{kind} name(s) {[name]} must be at most {MAX_NAME} characters"
    return f"{kind} name(s) {[name]} must match pattern {NAME_PATTERN}"
