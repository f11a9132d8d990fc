"""Make a scope; let sessions into it, and take one out."""

from collections.abc import Iterable
from typing import Any

import msgspec

from commands.decide import Reason
from commands.parents import (
    found_workspace,
    watch_named_peer,
    watch_named_session,
    watch_workspace,
)
from commands.proposal import Proposal
from commands.watched import Watched
from commands.write import Birth, Write, Written
from domain.errors import NotFound
from domain.peer import Peer, configure_peer
from domain.scope import ScopeCreated, peer_of_scope
from domain.scope_membership import (
    add_to_scope,
    check_scope,
    create_scope,
    join_scopes,
    remove_from_scope,
)
from domain.session import Session


class SetScope(msgspec.Struct, frozen=True, kw_only=True):
    """Create the scope or replace its metadata; None leaves it (HC E41)."""

    workspace: str
    scope: str
    metadata: dict[str, Any] | None


class AddSessions(msgspec.Struct, frozen=True, kw_only=True):
    """Let these sessions into a scope, all or none (HC E44)."""

    workspace: str
    scope: str
    sessions: tuple[str, ...]


class RemoveSession(msgspec.Struct, frozen=True, kw_only=True):
    """Take a session out of a scope; one not in it is no matter (HC E45)."""

    workspace: str
    scope: str
    session: str


async def set_scope(write: Write, command: SetScope, reason: Reason) -> Written[Peer]:
    """Create the scope, and its workspace, or set up the one there is.

    Raises:
        Invalid: the workspace's name could never be one.
        Conflict: an ordinary peer occupies the scope's name.
    """
    workspace = watch_workspace(command.workspace)
    scope = watch_scope(command.workspace, command.scope)
    birth = Birth(write.clock(), write.new_id)

    def decision(proposal: Proposal) -> None:
        found_workspace(proposal, workspace, birth)
        found_scope(proposal, command.scope, scope, birth, command.metadata)
        configured = configure_peer(
            proposal.state(scope),
            command.workspace,
            peer_of_scope(command.scope),
            command.metadata,
            None,
        )
        proposal.record(scope, configured)

    return await write(scope, (workspace,), decision, reason)


async def add_sessions(
    write: Write, command: AddSessions, reason: Reason
) -> Written[Peer]:
    """Let sessions into the scope; one that is there goes to the end of the order.

    Raises:
        NotFound: there is no such scope, or a session is missing; none is added.
    """
    scope = watch_scope(command.workspace, command.scope)
    sessions = {
        session: _watch(command.workspace, session)
        for session in dict.fromkeys(command.sessions)
    }
    now = write.clock()

    def decision(proposal: Proposal) -> None:
        check_scope(proposal.state(scope), command.workspace, command.scope)
        _check_there(proposal, command.workspace, sessions)
        for session, watched in sessions.items():
            if watched is None:  # pragma: no cover  it was refused just now
                continue
            named = (command.workspace, session)
            proposal.record(watched, add_to_scope(named, command.scope, now))

    others = tuple(watched for watched in sessions.values() if watched is not None)
    return await write(scope, others, decision, reason)


async def remove_session(
    write: Write, command: RemoveSession, reason: Reason
) -> Written[Peer]:
    """Take the session out.

    Raises:
        NotFound: there is no such scope, or no such session.
    """
    scope = watch_scope(command.workspace, command.scope)
    session = _watch(command.workspace, command.session)
    named = (command.workspace, command.session)
    now = write.clock()

    def decision(proposal: Proposal) -> None:
        check_scope(proposal.state(scope), command.workspace, command.scope)
        if session is None or not proposal.state(session).active:
            raise NotFound(
                f"Session {command.session} not found in workspace {command.workspace}"
            )
        state = proposal.state(session)
        proposal.record(session, remove_from_scope(state, named, command.scope, now))

    others = () if session is None else (session,)
    return await write(scope, others, decision, reason)


def watch_scope(workspace: str, scope: str) -> Watched[Peer]:
    """Look at a scope that may have to be made, or is looked for in vain.

    Raises:
        NotFound: its name could never be one.
    """
    try:
        return watch_named_peer(workspace, peer_of_scope(scope))
    except NotFound:
        raise NotFound(f"Scope {scope} not found in workspace {workspace}") from None


def watch_scopes(workspace: str, scopes: Iterable[str]) -> dict[str, Watched[Peer]]:
    """Look at scopes by public name, each once."""
    return {scope: watch_scope(workspace, scope) for scope in dict.fromkeys(scopes)}


def enter_scopes(
    proposal: Proposal,
    session: Watched[Session],
    named: tuple[str, str],
    scopes: dict[str, Watched[Peer]],
    birth: Birth,
) -> None:
    """Let a session into scopes, which are made on demand (E19).

    Raises:
        Conflict: an ordinary peer occupies a scope's name.
    """
    for scope, watched in scopes.items():
        found_scope(proposal, scope, watched, birth)
    joined = join_scopes(proposal.state(session), named, tuple(scopes), birth.at)
    proposal.record(session, joined)


def found_scope(
    proposal: Proposal,
    named: str,
    scope: Watched[Peer],
    birth: Birth,
    metadata: dict[str, Any] | None = None,
) -> None:
    """Make the scope unless it exists.

    Raises:
        Conflict: an ordinary peer occupies its name.
    """
    workspace = scope.stream.tenant
    created = ScopeCreated(
        workspace=workspace,
        peer=peer_of_scope(named),
        uid=birth.uid(scope),
        created_at=birth.at,
        metadata=metadata or {},
    )
    state = proposal.state(scope)
    proposal.record(scope, create_scope(state, workspace, named, created))


def _watch(workspace: str, session: str) -> Watched[Session] | None:
    try:
        return watch_named_session(workspace, session)
    except NotFound:
        return None


def _check_there(
    proposal: Proposal, workspace: str, sessions: dict[str, Watched[Session] | None]
) -> None:
    missing = [
        session
        for session, watched in sessions.items()
        if watched is None or not proposal.state(watched).active
    ]
    if missing:
        raise NotFound(f"Session(s) {missing} not found in workspace {workspace}")
