"""Workspaces: get or create one, set one up."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, post, put
from litestar.params import FromPath
from pydantic import BaseModel, Field

from commands.routes.free_json import Metadata
from commands.routes.names import NewName
from commands.routes.ports import GivenCaller, GivenOrigin, GivenParse, GivenWrite
from commands.routes.reply import reply
from commands.routes.settings import WorkspaceConfiguration, stored
from commands.workspace import (
    ConfigureWorkspace,
    CreateWorkspace,
    configure_workspace,
    create_workspace,
)
from commands.write import Written
from domain.workspace import Workspace, WorkspaceCreated

NEEDS_WIDE_KEY = "`budget` requires a workspace- or admin-level key"
"""What a peer's or a session's key is told that sets what a workspace may spend."""


class WorkspaceCreate(BaseModel):
    """Body of E01: nulls are refused here (HC 1.6)."""

    id: NewName
    metadata: Metadata = {}
    configuration: WorkspaceConfiguration = Field(
        default_factory=WorkspaceConfiguration
    )


class WorkspaceUpdate(BaseModel):
    """Body of E03."""

    metadata: Metadata | None = None
    configuration: WorkspaceConfiguration | None = None


class WorkspaceBody(msgspec.Struct, frozen=True):
    """A workspace as it is answered (HC 1.17); ``uid`` is opaque (HC 7.5)."""

    id: str
    metadata: dict[str, Any]
    configuration: dict[str, Any]
    created_at: datetime | None
    uid: str


@post(
    "/v3/workspaces",
    opt={"body": WorkspaceCreate, "existing": True},
    summary="Get or create",
)
async def post_workspace(
    parse: GivenParse, caller: GivenCaller, origin: GivenOrigin, write: GivenWrite
) -> Response[WorkspaceBody]:
    """E01: 201 when made, 200 when it was there."""
    body = await parse.body(WorkspaceCreate)
    caller.check_names(body.id)
    if body.configuration.budget is not None:
        caller.refuse_narrow(NEEDS_WIDE_KEY)
    command = CreateWorkspace(
        workspace=body.id,
        metadata=body.metadata,
        configuration=body.configuration.stored(),
    )
    written = await create_workspace(write, command, await origin.reason(body.id))
    return reply(_body(body.id, written), written.position, created=_made(written))


@put("/v3/workspaces/{workspace:str}", opt={"body": WorkspaceUpdate}, summary="Set up")
async def put_workspace(
    workspace: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[WorkspaceBody]:
    """E03: always 200."""
    body = await parse.body(WorkspaceUpdate)
    command = ConfigureWorkspace(
        workspace=workspace,
        metadata=body.metadata,
        configuration=stored(body.configuration),
    )
    reason = await origin.reason(workspace)
    written = await configure_workspace(write, command, reason)
    return reply(_body(workspace, written), written.position)


def _made(written: Written[Workspace]) -> bool:
    return any(isinstance(event, WorkspaceCreated) for event in written.events)


def _body(workspace: str, written: Written[Workspace]) -> WorkspaceBody:
    state = written.state
    return WorkspaceBody(
        workspace, state.metadata, state.configuration, state.created_at, state.uid
    )
