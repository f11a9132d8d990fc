"""Pages of a list: what is asked for, how it is read, and its envelope (HC 1.9)."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec
from pydantic import BaseModel, Field

from projections.condition import Bind, Condition
from projections.ports import Connection, Row
from read_api.moment import ReadQuery

T = TypeVar("T")

_FARTHEST = 2**62


class PageQuery(ReadQuery):
    """Which page is wanted: out of range is an error, never clamped."""

    page: int = Field(default=1, ge=1)
    size: int = Field(default=50, ge=1, le=100)


class ReversiblePageQuery(PageQuery):
    """The same of a list that may be read from its other end (HC 1.10)."""

    reverse: bool = False


class ListBody(BaseModel):
    """The optional body of a list; None and {} are no filter."""

    filters: dict[str, Any] | None = None


class Page(msgspec.Struct, Generic[T], frozen=True):
    """The envelope, exactly these keys; ``pages`` is 0 when there is nothing."""

    items: list[T]
    total: int
    page: int
    size: int
    pages: int


class Listing(msgspec.Struct, frozen=True):
    """A table as it is listed: its columns, its rows, and the keys of its order.

    ``rows`` writes what follows FROM, its tables aliased as conditions name them.
    """

    columns: str
    rows: Condition
    order: tuple[str, ...]


def table(rows: str) -> Condition:
    """Write what follows FROM where nothing in it is bound."""
    return lambda _bind: rows


async def read_page(
    db: Connection,
    listing: Listing,
    where: Condition,
    query: PageQuery,
    *,
    descending: bool = False,
) -> tuple[Sequence[Row], int]:
    """Return one page's rows and how many rows there are in all."""
    bind = Bind()
    rows_of = listing.rows(bind)
    condition = where(bind)
    counted = list(bind.values)
    direction = "DESC" if descending else "ASC"
    order = ", ".join(f"{key} {direction}" for key in listing.order)
    offset = min((query.page - 1) * query.size, _FARTHEST)
    rows = await db.fetch(
        f"SELECT {listing.columns} FROM {rows_of} WHERE {condition}"  # noqa: S608  every value is bound
        f" ORDER BY {order} LIMIT {bind(query.size)} OFFSET {bind(offset)}",
        *bind.values,
    )
    if len(rows) < query.size and (rows or query.page == 1):
        return rows, offset + len(rows)
    total = await db.fetchval(
        f"SELECT count(*) FROM {rows_of} WHERE {condition}",  # noqa: S608  every value is bound
        *counted,
    )
    return rows, total


def page_of(items: list[T], total: int, query: PageQuery) -> Page[T]:
    """Put items into the envelope of the page they were asked as."""
    pages = -(-total // query.size)
    return Page(items, total, query.page, query.size, pages)
