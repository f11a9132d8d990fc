"""Workspaces, listed (E02)."""

from litestar import Response, post

from projections.as_of import holding
from projections.condition import every
from projections.ports import Database, Views
from read_api.answers import Workspace, workspace_of
from read_api.filters import compile_filter
from read_api.moment import answer, reached
from read_api.pages import ListBody, Page, ReversiblePageQuery, page_of, read_page
from read_api.ports import Injected, Parse
from read_api.resources import WORKSPACE_FILTERS, WORKSPACES


@post(
    "/v3/workspaces/list",
    status_code=200,
    opt={"query": ReversiblePageQuery, "body": ListBody},
)
async def list_workspaces(
    parse: Injected[Parse], views: Injected[Views], database: Injected[Database]
) -> Response[Page[Workspace]]:
    """List workspaces by age (E02)."""
    query, body = await parse.query_and_optional_body(ReversiblePageQuery, ListBody)
    where = compile_filter(body.filters if body else None, WORKSPACE_FILTERS)
    moment = await reached(views, query)
    async with database.acquire() as db:
        rows, total = await read_page(
            db,
            WORKSPACES,
            every(holding(moment.as_of, "w"), where),
            query,
            descending=query.reverse,
        )
    items = [workspace_of(row) for row in rows]
    return answer(page_of(items, total, query), moment)
