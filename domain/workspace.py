"""A workspace: its events, its state, and what may be decided about it."""

from datetime import datetime
from typing import Any

import msgspec

from domain.configuration import Configuration, is_same, merge_configuration
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
    """What decisions need to know of a workspace."""

    exists: bool = False
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
            )
        case WorkspaceConfigured():
            return msgspec.structs.replace(
                state, metadata=event.metadata, configuration=event.configuration
            )
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
