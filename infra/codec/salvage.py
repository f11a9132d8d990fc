"""What the columns of a damaged event tell, its data aside: that something is to go.

The right to be erased stands before readability: a deletion counts though only its
type, its stream and its time are left of it.
"""

from datetime import timedelta
from typing import Final

from domain.erasure import (
    SessionDeleted,
    SessionErased,
    SessionErasureBegun,
    StreamErased,
    WorkspaceDeletionRequested,
    WorkspaceErased,
    WorkspaceErasureBegun,
)
from domain.event import Event
from domain.recorded import Recorded
from domain.session import SessionCreated
from domain.workspace import WorkspaceCreated
from infra.codec.damaged import Damaged

LONGEST_GRACE: Final = timedelta(days=1)
"""The most that can be set: nothing goes sooner than was promised."""


def salvage(damaged: Recorded) -> Event | None:
    """Return what is left of an event that deletes or erases; None if it does neither.

    Whatever happened before the end of a stream was at lower positions.
    """
    at, workspace = damaged.recorded_at, damaged.tenant
    kind = _type_of(damaged)
    return _of_session(damaged, kind) or {
        "stream-erased": StreamErased(workspace=workspace, through=damaged.position),
        "workspace-deletion-requested": WorkspaceDeletionRequested(
            workspace=workspace, requested_at=at, purge_at=at + LONGEST_GRACE
        ),
        "workspace-erasure-begun": WorkspaceErasureBegun(workspace=workspace),
        "workspace-erased": WorkspaceErased(
            workspace=workspace, erased_at=at, through=damaged.position
        ),
    }.get(kind)


def _of_session(damaged: Recorded, kind: str) -> Event | None:
    at, workspace = damaged.recorded_at, damaged.tenant
    session = _session_of(damaged.stream)
    match kind:
        case "session-deleted":
            return SessionDeleted(
                workspace=workspace,
                session=session,
                deleted_at=at,
                purge_at=at + LONGEST_GRACE,
            )
        case "session-erasure-begun":
            return SessionErasureBegun(workspace=workspace, session=session)
        case "session-erased":
            return SessionErased(
                workspace=workspace,
                session=session,
                erased_at=at,
                through=damaged.position,
            )
        case _:
            return None


def salvage_birth(damaged: Recorded) -> Event | None:
    """Return that something came to be; enough to erase it, and for nothing else."""
    at, workspace = damaged.recorded_at, damaged.tenant
    match _type_of(damaged):
        case "session-created":
            return SessionCreated(
                workspace=workspace,
                session=_session_of(damaged.stream),
                uid="",
                created_at=at,
            )
        case "workspace-created":
            return WorkspaceCreated(workspace=workspace, uid="", created_at=at)
        case _:
            return None


def _session_of(stream: str) -> str:
    return stream.partition("+")[2]


def _type_of(damaged: Recorded) -> str:
    return damaged.event.stored_type if isinstance(damaged.event, Damaged) else ""
