"""Webhook endpoints of a workspace, listed (E49)."""

from datetime import datetime

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from projections.as_of import holding
from projections.condition import equals, every
from projections.ports import Database, Row, Views
from read_api.moment import answer, reached
from read_api.pages import Listing, Page, PageQuery, page_of, read_page, table
from read_api.ports import Injected, Parse

WEBHOOKS = Listing(
    "h.id, h.tenant, h.url, h.created_at",
    table("webhook AS h"),
    ("h.created_at", "h.from_position"),
)


class WebhookEndpoint(msgspec.Struct, frozen=True):
    """An endpoint as it is answered (HC 1.17)."""

    id: str
    workspace_id: str
    url: str
    created_at: datetime


@get("/v3/workspaces/{workspace:str}/webhooks", opt={"query": PageQuery})
async def list_webhooks(
    workspace: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Page[WebhookEndpoint]]:
    """List endpoints by age; an unknown workspace has none (E49)."""
    query = parse.query(PageQuery)
    moment = await reached(views, query)
    where = every(equals("h.tenant", workspace), holding(moment.as_of, "h"))
    async with database.acquire() as db:
        rows, total = await read_page(db, WEBHOOKS, where, query)
    return answer(page_of([_of(row) for row in rows], total, query), moment)


def _of(row: Row) -> WebhookEndpoint:
    return WebhookEndpoint(row["id"], row["tenant"], row["url"], row["created_at"])
