"""Conclusions, listed and asked by meaning (E38, E39)."""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.status_codes import HTTP_503_SERVICE_UNAVAILABLE
from pydantic import BaseModel, Field

from domain.errors import Invalid, NotFound
from projections.as_of import holding
from projections.conclusion_search import ConclusionQuestion, nearest_conclusions
from projections.condition import Bind, equals, every
from projections.ports import Connection, Database, QueryEmbedder, TokenCounter, Views
from read_api.answers import CONCLUSION, Conclusion, conclusion_of
from read_api.asking import Text, check_length, probe_of
from read_api.filters import compile_filter
from read_api.moment import ReadQuery, answer, reached
from read_api.pages import ListBody, Page, ReversiblePageQuery, page_of, read_page
from read_api.ports import Injected, Parse
from read_api.resources import CONCLUSION_FILTERS, CONCLUSIONS

_PAIR = (
    "observer and observed must be specified for semantic search. Name both in"
    ' filters, as {"observer_id": "...", "observed_id": "..."}.'
)


class ConclusionQueryBody(BaseModel):
    """What is asked, how many, and how far from it a conclusion may be."""

    query: Text
    top_k: int = Field(default=10, ge=1, le=100)
    distance: float | None = Field(default=None, ge=0, le=1)
    filters: dict[str, Any] | None = None


class NobodyEmbeds(HTTPException):
    """A question that only vectors can answer, and no embedder answers now."""

    status_code = HTTP_503_SERVICE_UNAVAILABLE


@post(
    "/v3/workspaces/{workspace:str}/conclusions/list",
    status_code=200,
    opt={"query": ReversiblePageQuery, "body": ListBody},
)
async def list_conclusions(
    workspace: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Page[Conclusion]]:
    """List conclusions, the newest first (E38)."""
    query, body = await parse.query_and_optional_body(ReversiblePageQuery, ListBody)
    wanted = compile_filter(body.filters if body else None, CONCLUSION_FILTERS)
    moment = await reached(views, query)
    where = every(equals("c.tenant", workspace), holding(moment.as_of, "c"), wanted)
    async with database.acquire() as db:
        rows, total = await read_page(
            db, CONCLUSIONS, where, query, descending=not query.reverse
        )
    items = [conclusion_of(row) for row in rows]
    return answer(page_of(items, total, query), moment)


@get(
    "/v3/workspaces/{workspace:str}/conclusions/{conclusion:str}",
    opt={"query": ReadQuery},
)
async def get_conclusion(
    workspace: FromPath[str],
    conclusion: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Conclusion]:
    """Return one conclusion (HC 7.5)."""
    moment = await reached(views, parse.query(ReadQuery))
    bind = Bind(workspace, conclusion)
    held = holding(moment.as_of, "c")(bind)
    async with database.acquire() as db:
        row = await db.fetchrow(
            f"SELECT {CONCLUSION} FROM conclusion AS c"  # noqa: S608  every value is bound
            f" WHERE c.tenant = $1 AND c.id = $2 AND {held}",
            *bind.values,
        )
    if row is None:
        raise NotFound(
            f"Document {conclusion} not found or does not belong to workspace"
            f" {workspace}"
        )
    return answer(conclusion_of(row), moment)


@post(
    "/v3/workspaces/{workspace:str}/conclusions/query",
    status_code=200,
    opt={"query": ReadQuery, "body": ConclusionQueryBody},
)
async def query_conclusions(
    workspace: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
    query_embedder: Injected[QueryEmbedder],
    tokens: Injected[TokenCounter],
) -> Response[list[Conclusion]]:
    """Return conclusions by their distance from the question (E39).

    Raises:
        NobodyEmbeds: words alone may not answer here.
    """
    query, body = await parse.query_and_body(ReadQuery, ConclusionQueryBody)
    filters = body.filters or {}
    where = compile_filter(filters, CONCLUSION_FILTERS)
    check_length(body.query, tokens)
    question = ConclusionQuestion(
        tenant=workspace,
        observer=_named(filters, "observer"),
        observed=_named(filters, "observed"),
        query=body.query,
        limit=body.top_k,
        probe=await probe_of(_words(body.query), query_embedder),
        farthest=body.distance,
        where=where,
    )
    if question.probe is None:
        raise NobodyEmbeds(
            detail="No embedder answers now", headers={"Retry-After": "1"}
        )
    moment = await reached(views, query, searched=True)
    question = msgspec.structs.replace(question, as_of=moment.as_of)
    async with database.acquire() as db:
        return answer(await _nearest(db, question), moment)


def _words(query: str) -> str:
    """Return what to embed; where nothing is asked any vector is as good."""
    return query if query.strip() else "."


async def _nearest(db: Connection, question: ConclusionQuestion) -> list[Conclusion]:
    ids = [near.id for near in await nearest_conclusions(db, question)]
    if not ids:
        return []
    bind = Bind(question.tenant, ids)
    held = holding(question.as_of, "c")(bind)
    rows = await db.fetch(
        f"SELECT {CONCLUSION} FROM conclusion AS c"  # noqa: S608  every value is bound
        f" WHERE c.tenant = $1 AND c.id = ANY($2) AND {held}",
        *bind.values,
    )
    by_id = {row["id"]: conclusion_of(row) for row in rows}
    return [by_id[each] for each in ids if each in by_id]


def _named(filters: dict[str, Any], role: str) -> str:
    value = filters.get(role, filters.get(f"{role}_id"))
    if not isinstance(value, str):
        raise Invalid(_PAIR)
    return value
