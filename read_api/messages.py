"""Messages of a session, listed and one by one (E34, E35)."""

from typing import cast

from litestar import Response, get, post
from litestar.params import FromPath

from domain.errors import NotFound
from projections.condition import Bind, equals, every
from projections.message_page import read_message_page
from projections.message_rows import message_rows
from projections.ports import Database, Views
from read_api.answers import MESSAGE, Message, message_of
from read_api.filters import compile_filter
from read_api.moment import ReadQuery, answer, reached
from read_api.pages import ListBody, Page, ReversiblePageQuery, page_of, read_page
from read_api.ports import Injected, Parse
from read_api.resources import MESSAGE_FILTERS, messages_at


@post(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}/messages/list",
    status_code=200,
    opt={"query": ReversiblePageQuery, "body": ListBody},
)
async def list_messages(
    workspace: FromPath[str],
    session: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Page[Message]]:
    """List a session's messages in the order they were said (E34)."""
    query, body = await parse.query_and_optional_body(ReversiblePageQuery, ListBody)
    filters = body.filters if body else None
    wanted = compile_filter(filters, MESSAGE_FILTERS)
    moment = await reached(views, query)
    async with database.acquire() as db:
        if filters:
            where = every(
                equals("m.tenant", workspace), equals("m.session", session), wanted
            )
            rows, total = await read_page(
                db, messages_at(moment.as_of), where, query, descending=query.reverse
            )
            items = [message_of(row) for row in rows]
        else:
            window = ((query.page - 1) * query.size, query.size)
            bodies, total = await read_message_page(
                db,
                workspace,
                session,
                window,
                descending=query.reverse,
                as_of=moment.as_of,
            )
            items = cast("list[Message]", bodies)
    return answer(page_of(items, total, query), moment)


@get(
    "/v3/workspaces/{workspace:str}/sessions/{session:str}/messages/{message:str}",
    opt={"query": ReadQuery},
)
async def get_message(
    workspace: FromPath[str],
    session: FromPath[str],
    message: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Message]:
    """Return one message of a session (E35)."""
    moment = await reached(views, parse.query(ReadQuery))
    bind = Bind(workspace, session, message)
    rows = message_rows(moment.as_of)(bind)
    async with database.acquire() as db:
        row = await db.fetchrow(
            f"SELECT {MESSAGE} FROM {rows}"  # noqa: S608  every value is bound
            " WHERE m.tenant = $1 AND m.session = $2 AND m.id = $3",
            *bind.values,
        )
    if row is None:
        raise NotFound(f"Message with ID {message} not found")
    return answer(message_of(row), moment)
