"""Open a session, set it up, let peers join and leave."""

from collections.abc import Mapping
from typing import Any

import msgspec

from commands.decide import Reason
from commands.parents import (
    found_peers,
    found_workspace,
    refuse_scopes,
    watch_named_session,
    watch_peers,
    watch_reserved,
    watch_session,
    watch_workspace,
)
from commands.proposal import Proposal
from commands.scope import enter_scopes, watch_scopes
from commands.watched import Watched
from commands.write import Birth, Write, Written
from domain.configuration import Configuration
from domain.errors import NotFound
from domain.membership import Role, join_peers
from domain.membership import remove_peers as remove
from domain.names import is_name
from domain.session import Session, SessionCreated, configure_session, open_session


class SetSession(msgspec.Struct, frozen=True, kw_only=True):
    """Open the session or set it up, and let these peers join (HC E19, E20, E23).

    Metadata is replaced, configuration merged by section; None leaves either. The
    session enters the ``scopes``, which are made on demand.
    """

    workspace: str
    session: str
    metadata: dict[str, Any] | None = None
    configuration: Configuration | None = None
    peers: Mapping[str, Role] = {}
    scopes: tuple[str, ...] = ()


class RemovePeers(msgspec.Struct, frozen=True, kw_only=True):
    """Let these peers leave; those who are not there are no matter (HC E25)."""

    workspace: str
    session: str
    peers: list[str]


async def set_session(
    write: Write, command: SetSession, reason: Reason
) -> Written[Session]:
    """Open or set up the session; makes workspace and peers on demand.

    Raises:
        NotFound: the session's name could never be one (HC 1.2).
        Invalid: the workspace's or a new peer's name could never be one, or a peer is
            a scope.
        Conflict: an ordinary peer occupies a scope's name.
        Refused: too many observers; nothing of the request is then done (X66).
    """
    workspace = watch_workspace(command.workspace)
    if not is_name(command.session):
        raise NotFound("Session not found")
    session = watch_session(command.workspace, command.session)
    peers = watch_peers(command.workspace, command.peers)
    scopes = watch_scopes(command.workspace, command.scopes)
    named = (command.workspace, command.session)
    birth = Birth(write.clock(), write.new_id)
    opened = SessionCreated(
        workspace=command.workspace,
        session=command.session,
        uid=birth.uid(session),
        created_at=birth.at,
        metadata=command.metadata or {},
        configuration=command.configuration or {},
    )

    def decision(proposal: Proposal) -> None:
        found_workspace(proposal, workspace, birth)
        _set_up(proposal, session, command, opened)
        refuse_scopes(proposal, peers)
        found_peers(proposal, peers, birth)
        proposal.record(
            session,
            join_peers(
                proposal.state(session),
                named,
                command.peers,
                birth.at,
                write.limits.observers,
            ),
        )
        enter_scopes(proposal, session, named, scopes, birth)

    others: tuple[Watched[Any], ...] = (workspace, *peers.values(), *scopes.values())
    return await write(session, others, decision, reason)


async def remove_peers(
    write: Write, command: RemovePeers, reason: Reason
) -> Written[Session]:
    """Let active members leave.

    Raises:
        NotFound: there is no such session.
        Invalid: one of them is a scope.
    """
    session = watch_named_session(command.workspace, command.session)
    reserved = watch_reserved(command.workspace, command.peers)
    named = (command.workspace, command.session)
    now = write.clock()

    def decision(proposal: Proposal) -> None:
        refuse_scopes(proposal, reserved)
        state = proposal.state(session)
        proposal.record(session, remove(state, named, command.peers, now))

    return await write(session, tuple(reserved.values()), decision, reason)


def _set_up(
    proposal: Proposal,
    session: Watched[Session],
    command: SetSession,
    opened: SessionCreated,
) -> None:
    """Open the session unless it exists, and give it what was sent for it."""
    proposal.record(session, open_session(proposal.state(session), opened))
    named = (command.workspace, command.session)
    configured = configure_session(
        proposal.state(session), named, command.metadata, command.configuration
    )
    proposal.record(session, configured)
