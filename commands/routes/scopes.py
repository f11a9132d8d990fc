"""Scopes: get or create one, let sessions in, take one out."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Response, delete, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_204_NO_CONTENT
from pydantic import AfterValidator, AliasChoices, BaseModel, Field

from commands.routes.free_json import Metadata
from commands.routes.ports import GivenOrigin, GivenParse, GivenWrite
from commands.routes.reply import done, reply
from commands.scope import (
    AddSessions,
    RemoveSession,
    SetScope,
    add_sessions,
    remove_session,
    set_scope,
)
from domain.names import NAME_PATTERN, SCOPE_PREFIX, is_reserved
from domain.peer import Peer
from domain.scope import MAX_SCOPE_NAME, ScopeCreated

MAX_SESSIONS = 100
"""Most sessions one request may add (HC E44)."""


def _unprefixed(name: str) -> str:
    if is_reserved(name):
        raise ValueError(f"a scope's id must not start with '{SCOPE_PREFIX}'")
    return name


ScopeName = Annotated[
    str,
    Field(min_length=1, max_length=MAX_SCOPE_NAME),
    AfterValidator(_unprefixed),
    Field(pattern=NAME_PATTERN),
]
"""A scope's public name: length, then prefix, then letters are checked (HC 1.2)."""

NewScope = Annotated[ScopeName, Field(validation_alias=AliasChoices("id", "name"))]


class ScopeCreate(BaseModel):
    """Body of E41."""

    id: NewScope
    metadata: Metadata | None = None


class AddedSessions(BaseModel):
    """Body of E44."""

    session_ids: Annotated[list[str], Field(min_length=1, max_length=MAX_SESSIONS)]


class ScopeBody(msgspec.Struct, frozen=True):
    """A scope as it is answered (HC 1.17)."""

    id: str
    metadata: dict[str, Any]
    created_at: datetime | None


@post(
    "/v3/workspaces/{workspace:str}/scopes",
    opt={"body": ScopeCreate, "existing": True},
    summary="Get or create",
)
async def post_scope(
    workspace: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[ScopeBody]:
    """E41: 201 when made, 200 when it was there; metadata replaces."""
    body = await parse.body(ScopeCreate)
    command = SetScope(workspace=workspace, scope=body.id, metadata=body.metadata)
    written = await set_scope(write, command, await origin.reason(workspace))
    made = any(isinstance(event, ScopeCreated) for event in written.events)
    return reply(_body(body.id, written.state), written.position, created=made)


@post(
    "/v3/workspaces/{workspace:str}/scopes/{scope_id:str}/sessions",
    opt={"body": AddedSessions},
    summary="Add sessions",
    status_code=HTTP_204_NO_CONTENT,
)
async def post_scope_sessions(
    workspace: FromPath[str],
    scope_id: FromPath[str],
    parse: GivenParse,
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[None]:
    """E44: all of them, or none and 404."""
    body = await parse.body(AddedSessions)
    command = AddSessions(
        workspace=workspace, scope=scope_id, sessions=tuple(body.session_ids)
    )
    written = await add_sessions(write, command, await origin.reason(workspace))
    return done(written.position)


@delete(
    "/v3/workspaces/{workspace:str}/scopes/{scope_id:str}/sessions/{session:str}",
    summary="Remove a session",
    status_code=HTTP_204_NO_CONTENT,
)
async def delete_scope_session(
    workspace: FromPath[str],
    scope_id: FromPath[str],
    session: FromPath[str],
    origin: GivenOrigin,
    write: GivenWrite,
) -> Response[None]:
    """E45: also when it was not in the scope."""
    command = RemoveSession(workspace=workspace, scope=scope_id, session=session)
    written = await remove_session(write, command, await origin.reason(workspace))
    return done(written.position)


def _body(scope: str, state: Peer) -> ScopeBody:
    return ScopeBody(scope, state.metadata, state.created_at)
