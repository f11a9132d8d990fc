"""What one peer holds of another, as text (E13)."""

from typing import Any

import msgspec
from litestar import Response, post
from litestar.params import FromPath
from pydantic import BaseModel, Field

from domain.errors import Invalid
from projections.ports import Database, QueryEmbedder, TokenCounter, Views
from projections.representation import MOST, Wanted, represent
from projections.representation_text import markdown
from read_api.allowlist import confining_sessions
from read_api.asking import Named, Text, check_length, probe_of
from read_api.moment import Moment, ReadQuery, answer, reached
from read_api.ports import Caller, Injected, Parse
from read_api.scopes import (
    NEEDS_WIDE_KEY,
    Scoped,
    ScopeOption,
    refuse_reserved,
    resolve_scope,
)


class RepresentationBody(BaseModel):
    """Of whom, from which sessions, and what of it; see HC E13."""

    session_id: Named | None = None
    filters: dict[str, Any] | None = None
    scope: ScopeOption | None = None
    target: Named | None = None
    search_query: Text | None = None
    search_top_k: int | None = Field(default=None, ge=1, le=MOST)
    search_max_distance: float | None = Field(default=None, ge=0, le=1)
    include_most_frequent: bool | None = None
    max_conclusions: int | None = Field(default=25, ge=1, le=MOST)


class Representation(msgspec.Struct, frozen=True):
    """The text, empty when nothing is known."""

    representation: str


@post(
    "/v3/workspaces/{workspace:str}/peers/{peer:str}/representation",
    status_code=200,
    opt={"query": ReadQuery, "body": RepresentationBody},
)
async def get_representation(  # noqa: PLR0913, PLR0917  injected by name
    workspace: FromPath[str],
    peer: FromPath[str],
    parse: Injected[Parse],
    caller: Injected[Caller],
    views: Injected[Views],
    database: Injected[Database],
    query_embedder: Injected[QueryEmbedder],
    tokens: Injected[TokenCounter],
) -> Response[Representation]:
    """Return what a peer holds of its target, or of itself (E13)."""
    query, body = await parse.query_and_body(ReadQuery, RepresentationBody)
    moment = await reached(views, query, searched=bool(body.search_query))
    await refuse_reserved(database, workspace, peer, body.target, as_of=moment.as_of)
    scoped = await _scoped(body, workspace, caller, database, moment)
    asked = body.search_query or ""
    check_length(asked, tokens)
    wanted = Wanted(
        tenant=workspace,
        observer=scoped.observer or peer,
        observed=peer if body.target is None else body.target,
        budget=body.max_conclusions or MOST,
        query=asked or None,
        probe=await probe_of(asked, query_embedder),
        top=body.search_top_k,
        farthest=body.search_max_distance,
        frequent=bool(body.include_most_frequent),
        sessions=scoped.sessions,
        as_of=moment.as_of,
    )
    async with database.acquire() as db:
        text = markdown(await represent(db, wanted))
    return answer(Representation(text), moment)


async def _scoped(
    body: RepresentationBody,
    workspace: str,
    caller: Caller,
    database: Database,
    moment: Moment,
) -> Scoped:
    """Return through whose eyes, and from which sessions, the target is seen."""
    if body.scope is None:
        return Scoped(None, confining_sessions(body.filters, body.session_id))
    if body.filters is not None:
        raise Invalid("`scope` and `filters` are mutually exclusive")
    if body.session_id is not None:
        raise Invalid("`scope` and `session_id` are mutually exclusive")
    caller.refuse_narrow(NEEDS_WIDE_KEY)
    async with database.acquire() as db:
        return await resolve_scope(db, workspace, body.scope, moment.as_of)
