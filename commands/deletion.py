"""Delete a session or a workspace: marked at once, erased after a grace."""

from datetime import datetime, timedelta
from uuid import uuid4

import msgspec

from commands.decide import Decide, Reason
from commands.parents import watch_named_session, watch_named_workspace
from commands.ports import ActiveSessions
from commands.proposal import Proposal
from commands.write import Write, Written
from domain.erasure import SessionDeleted, WorkspaceDeletionRequested
from domain.fork import abandon_fork
from domain.recorded import Cause
from domain.session import Session
from domain.session import delete_session as delete
from domain.workspace import Workspace, request_deletion


class DeleteSession(msgspec.Struct, frozen=True, kw_only=True):
    """Make this session inactive; erase it after ``grace`` (HC E21)."""

    workspace: str
    session: str
    grace: timedelta


class DeleteWorkspace(msgspec.Struct, frozen=True, kw_only=True):
    """Erase this workspace, and all in it, after ``grace`` (HC E04)."""

    workspace: str
    grace: timedelta


async def delete_session(
    write: Write, command: DeleteSession, reason: Reason
) -> Written[Session]:
    """Delete it; what it holds stays readable until it is erased.

    Raises:
        NotFound: there is no such session, or it is deleted already.
    """
    session = watch_named_session(
        command.workspace, command.session, despite_damage=True
    )
    now = write.clock()
    deleted = SessionDeleted(
        workspace=command.workspace,
        session=command.session,
        deleted_at=now,
        purge_at=now + command.grace,
    )

    def decision(proposal: Proposal) -> None:
        proposal.record(session, delete(proposal.state(session), deleted))

    return await write(session, (), decision, reason)


async def abandon_clone(decide: Decide, named: tuple[str, str], at: datetime) -> bool:
    """Delete what was copied into a (workspace, session) that was never opened.

    Nobody has seen any of it, so its grace is over at once. Return if there was any.
    """
    session = watch_named_session(*named, despite_damage=True)
    deleted = SessionDeleted(
        workspace=named[0], session=named[1], deleted_at=at, purge_at=at
    )
    appended = await decide(
        named[0],
        (session,),
        lambda states: {session.stream: abandon_fork(states[0], deleted)},
        Reason(Cause(actor="sweep", correlation_id=uuid4())),
    )
    return appended is not None


async def delete_workspace(
    write: Write, active: ActiveSessions, command: DeleteWorkspace, reason: Reason
) -> Written[Workspace]:
    """Accept it; until it is erased the workspace answers as before.

    Raises:
        NotFound: there is no such workspace.
        Conflict: a session of it is active.
    """
    workspace = watch_named_workspace(command.workspace, despite_damage=True)
    has_active = await active.any(command.workspace)
    now = write.clock()
    requested = WorkspaceDeletionRequested(
        workspace=command.workspace,
        requested_at=now,
        purge_at=now + command.grace,
    )

    def decision(proposal: Proposal) -> None:
        state = proposal.state(workspace)
        proposal.record(workspace, request_deletion(state, requested, has_active))

    return await write(workspace, (), decision, reason)
