"""A workspace: its events, its state, and what may be decided about it."""

from datetime import datetime
from typing import Any

import msgspec

from domain.configuration import Configuration, is_same, merge_configuration
from domain.erasure import (
    WorkspaceDeletionRequested,
    WorkspaceErased,
    WorkspaceErasureBegun,
)
from domain.errors import Conflict, NotFound
from domain.event import Event, Personal


class WorkspaceCreated(Event, frozen=True, kw_only=True, tag="workspace-created"):
    """A workspace came to be, by request or as the parent of something else."""

    uid: str
    created_at: datetime
    metadata: Personal[dict[str, Any]] = {}
    configuration: Configuration = {}


class WorkspaceConfigured(Event, frozen=True, kw_only=True, tag="workspace-configured"):
    """Metadata and configuration of a workspace are now these, as a whole."""

    metadata: Personal[dict[str, Any]]
    configuration: Configuration


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """What decisions need to know of a workspace.

    While ``erasing``, nothing may be written in it. What happened in it up to the
    position ``erased_through`` is of an erased one.
    """

    exists: bool = False
    deletion_requested: bool = False
    erasing: bool = False
    erased_through: int = 0
    uid: str = ""
    created_at: datetime | None = None
    metadata: dict[str, Any] = {}
    configuration: Configuration = {}


def evolve_workspace(state: Workspace, event: Event) -> Workspace:
    """Fold one event into the state; events of other aggregates change nothing."""
    match event:
        case WorkspaceCreated():
            return Workspace(
                exists=True,
                uid=event.uid,
                created_at=event.created_at,
                metadata=event.metadata,
                configuration=event.configuration,
                erased_through=state.erased_through,
            )
        case WorkspaceConfigured():
            return msgspec.structs.replace(
                state, metadata=event.metadata, configuration=event.configuration
            )
        case WorkspaceDeletionRequested():
            return msgspec.structs.replace(state, deletion_requested=True)
        case WorkspaceErasureBegun():
            return msgspec.structs.replace(state, erasing=True)
        case WorkspaceErased():
            return Workspace(erased_through=event.through)
        case _:
            return state


def create_workspace(
    state: Workspace, event: WorkspaceCreated
) -> list[WorkspaceCreated]:
    """Create it unless it exists; supplied fields are then ignored (HC 1.4)."""
    return [] if state.exists else [event]


def configure_workspace(
    state: Workspace,
    workspace: str,
    metadata: dict[str, Any] | None,
    configuration: Configuration | None,
) -> list[WorkspaceConfigured]:
    """Replace metadata, merge configuration by section; None leaves (HC E03)."""
    new_metadata = state.metadata if metadata is None else metadata
    new_configuration = merge_configuration(state.configuration, configuration or {})
    stored = (state.metadata, state.configuration)
    if is_same((new_metadata, new_configuration), stored):
        return []
    return [
        WorkspaceConfigured(
            workspace=workspace,
            metadata=new_metadata,
            configuration=new_configuration,
        )
    ]


def request_deletion(
    state: Workspace,
    event: WorkspaceDeletionRequested,
    has_active_sessions: bool,  # noqa: FBT001  a fact about the workspace
) -> list[WorkspaceDeletionRequested]:
    """Accept that it is to be deleted; sessions made since do not matter (HC E04).

    Raises:
        NotFound: there is no such workspace.
        Conflict: it was not accepted before, and sessions are active.
    """
    if not state.exists:
        raise NotFound(f"Workspace {event.workspace} not found")
    if state.deletion_requested:
        return []
    if has_active_sessions:
        raise Conflict(
            f"Cannot delete workspace '{event.workspace}': active session(s) remain. "
            "Delete all sessions first."
        )
    return [event]


def begin_erasure(
    state: Workspace, event: WorkspaceErasureBegun
) -> list[WorkspaceErasureBegun]:
    """Let nothing be written in it until it is erased."""
    return [event] if state.deletion_requested and not state.erasing else []


def erase_workspace(state: Workspace, event: WorkspaceErased) -> list[WorkspaceErased]:
    """Free the id of one that is to be deleted; one erased before stays erased."""
    return [event] if state.deletion_requested else []
