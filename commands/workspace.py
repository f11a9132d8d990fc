"""Create a workspace, or set its metadata and configuration."""

from typing import Any

import msgspec

from commands.decide import Reason
from commands.parents import check_settled, found_workspace, watch_workspace
from commands.proposal import Proposal
from commands.write import Birth, Write, Written
from domain.configuration import Configuration
from domain.workspace import (
    Workspace,
    WorkspaceCreated,
)
from domain.workspace import (
    configure_workspace as configure,
)
from domain.workspace import (
    create_workspace as create,
)


class CreateWorkspace(msgspec.Struct, frozen=True, kw_only=True):
    """Let this workspace exist; one that does keeps what it has (HC E01)."""

    workspace: str
    metadata: dict[str, Any]
    configuration: Configuration


class ConfigureWorkspace(msgspec.Struct, frozen=True, kw_only=True):
    """Replace metadata, merge configuration by section; None leaves (HC E03)."""

    workspace: str
    metadata: dict[str, Any] | None
    configuration: Configuration | None


async def create_workspace(
    write: Write, command: CreateWorkspace, reason: Reason
) -> Written[Workspace]:
    """Create it unless it exists.

    Raises:
        Invalid: its name could never be one.
    """
    workspace = watch_workspace(command.workspace)
    created = WorkspaceCreated(
        workspace=command.workspace,
        uid=write.new_id(),
        created_at=write.clock(),
        metadata=command.metadata,
        configuration=command.configuration,
    )

    def decision(proposal: Proposal) -> None:
        check_settled(proposal, workspace)
        proposal.record(workspace, create(proposal.state(workspace), created))

    return await write(workspace, (), decision, reason)


async def configure_workspace(
    write: Write, command: ConfigureWorkspace, reason: Reason
) -> Written[Workspace]:
    """Set it up, creating it if need be.

    Raises:
        Invalid: its name could never be one.
    """
    workspace = watch_workspace(command.workspace)
    birth = Birth(write.clock(), write.new_id)

    def decision(proposal: Proposal) -> None:
        found_workspace(proposal, workspace, birth)
        proposal.record(
            workspace,
            configure(
                proposal.state(workspace),
                command.workspace,
                command.metadata,
                command.configuration,
            ),
        )

    return await write(workspace, (), decision, reason)
