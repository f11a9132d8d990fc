"""Say who is in a session, and what one member observes."""

from collections.abc import Mapping

import msgspec

from commands.decide import Reason
from commands.parents import (
    found_peers,
    refuse_scopes,
    watch_named_peer,
    watch_named_session,
    watch_peers,
)
from commands.proposal import Proposal
from commands.write import Birth, Write, Written
from domain.errors import NotFound
from domain.membership import Role, change_role
from domain.membership import set_peers as settle
from domain.session import Session, check_active


class SetPeers(msgspec.Struct, frozen=True, kw_only=True):
    """These are the members now, with these flags; all others leave (HC E24)."""

    workspace: str
    session: str
    peers: Mapping[str, Role]


class ChangeRole(msgspec.Struct, frozen=True, kw_only=True):
    """A member's flags are these where they are not None (HC E28)."""

    workspace: str
    session: str
    peer: str
    role: Role


async def set_peers(
    write: Write, command: SetPeers, reason: Reason
) -> Written[Session]:
    """Replace the members; peers that do not exist are made.

    Raises:
        NotFound: there is no such session.
        Invalid: a new peer's name could never be one, or a peer is a scope.
        Refused: too many observers.
    """
    session = watch_named_session(command.workspace, command.session)
    peers = watch_peers(command.workspace, command.peers)
    named = (command.workspace, command.session)
    birth = Birth(write.clock(), write.new_id)
    most = write.limits.observers

    def decision(proposal: Proposal) -> None:
        check_active(proposal.state(session), named)
        refuse_scopes(proposal, peers)
        found_peers(proposal, peers, birth)
        state = proposal.state(session)
        proposal.record(session, settle(state, named, command.peers, birth.at, most))

    return await write(session, tuple(peers.values()), decision, reason)


async def change_member(
    write: Write, command: ChangeRole, reason: Reason
) -> Written[Session]:
    """Change what a member observes; a peer that is no member becomes one.

    Raises:
        NotFound: there is no such session, or no such peer.
        Invalid: the peer is a scope.
        Refused: too many observers.
    """
    session = watch_named_session(command.workspace, command.session)
    peer = watch_named_peer(command.workspace, command.peer)
    named = (command.workspace, command.session)
    member = (command.peer, command.role)
    now = write.clock()

    def decision(proposal: Proposal) -> None:
        state = proposal.state(session)
        check_active(state, named)
        if not proposal.state(peer).exists:
            raise NotFound(
                f"Peer {command.peer} not found in workspace {command.workspace}"
            )
        refuse_scopes(proposal, {command.peer: peer})
        changed = change_role(state, named, member, now, write.limits.observers)
        proposal.record(session, changed)

    return await write(session, (peer,), decision, reason)
