"""What was taken back: listed, and one unit in full."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from domain.errors import NotFound
from domain.retraction import (
    KeptConclusion,
    TakenConclusion,
    TakenMessages,
    TakenSummary,
)
from projections.as_of import recorded_by
from projections.condition import Bind, equals, every
from projections.ports import Database, Row, Views
from read_api.moment import ReadQuery, answer, reached
from read_api.pages import Listing, Page, PageQuery, page_of, read_page, table
from read_api.ports import Injected, Parse

_LISTED = """
    r.unit, r.kind, r.actor, r.asked, r.note, r.corrected_by, r.filters, r.source,
    r.recorded_at, r.undone, r.undone_at, r.undone_by, r.extended,
    jsonb_array_length(r.conclusions) AS conclusions,
    jsonb_array_length(r.summaries) AS summaries,
    (SELECT coalesce(sum(jsonb_array_length(e -> 'ids')), 0)::int
        FROM jsonb_array_elements(r.messages) AS e) AS messages
"""

RETRACTIONS = Listing(_LISTED, table("retraction AS r"), ("r.position",))


class RetractionUnit(msgspec.Struct, frozen=True, kw_only=True):
    """One act of taking back: who, when, why, how much, and whether it stands.

    ``kind`` is retract, correct, delete or quarantine, ``state`` standing or undone;
    ``asked`` is the conclusion that was named, ``filters`` and ``source`` what a
    quarantine selected by. ``reason`` is null, and ``filters`` are empty, once some of
    what they tell of is erased.
    """

    unit: str
    kind: str
    state: str
    actor: str
    reason: str | None
    asked: str | None
    corrected_by: str | None
    filters: Any
    source: Any
    created_at: datetime
    undone_at: datetime | None
    undone_by: str | None
    conclusions: int
    summaries: int
    messages: int


class Went(msgspec.Struct, frozen=True):
    """A conclusion that went, and the one it was built on, if that took it along."""

    id: str
    because: str | None


class WithdrawnSummary(msgspec.Struct, frozen=True):
    """A summary that was withdrawn."""

    id: str
    session_id: str
    kind: str


class WithheldMessages(msgspec.Struct, frozen=True):
    """Messages of one session that are withheld from recall."""

    session_id: str
    ids: tuple[str, ...]


class RetractionInFull(msgspec.Struct, frozen=True, kw_only=True):
    """A unit with all it took, kept, could not give back, and took when undone."""

    retraction: RetractionUnit
    retracted: list[Went]
    kept: tuple[KeptConclusion, ...]
    summaries: list[WithdrawnSummary]
    messages: list[WithheldMessages]
    lost: tuple[str, ...]
    withdrawn: list[Went]


@get("/v3/workspaces/{workspace:str}/retractions", opt={"query": PageQuery})
async def list_retractions(
    workspace: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[Page[RetractionUnit]]:
    """List what was taken back, the newest first; an unknown workspace has none."""
    query = parse.query(PageQuery)
    moment = await reached(views, query)
    at = moment.as_of
    where = every(equals("r.tenant", workspace), recorded_by(at, "r.position"))
    async with database.acquire() as db:
        rows, total = await read_page(db, RETRACTIONS, where, query, descending=True)
    items = [_unit(row, at) for row in rows]
    return answer(page_of(items, total, query), moment)


@get("/v3/workspaces/{workspace:str}/retractions/{unit:str}", opt={"query": ReadQuery})
async def get_retraction(
    workspace: FromPath[str],
    unit: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[RetractionInFull]:
    """Return one unit: what it took, and whether it holds again."""
    moment = await reached(views, parse.query(ReadQuery))
    bind = Bind(workspace, unit)
    known = recorded_by(moment.as_of, "r.position")(bind)
    async with database.acquire() as db:
        row = await db.fetchrow(
            f"SELECT {_LISTED}, r.conclusions AS taken, r.summaries AS summed,"  # noqa: S608  constants
            " r.messages AS said, r.kept, r.lost, r.withdrawn FROM retraction AS r"
            f" WHERE r.tenant = $1 AND r.unit = $2 AND {known}",
            *bind.values,
        )
    if row is None:
        raise NotFound(f"Retraction {unit} not found in workspace {workspace}")
    return answer(_in_full(row, moment.as_of), moment)


def _unit(row: Row, as_of: int) -> RetractionUnit:
    undone = row["undone"] is not None and row["undone"] <= as_of
    return RetractionUnit(
        unit=row["unit"],
        kind=row["kind"],
        state="undone" if undone else "standing",
        actor=row["actor"],
        reason=row["note"],
        asked=row["asked"],
        corrected_by=row["corrected_by"],
        filters=_json(row["filters"]),
        source=_json(row["source"]),
        created_at=row["recorded_at"],
        undone_at=row["undone_at"] if undone else None,
        undone_by=row["undone_by"] if undone else None,
        conclusions=row["conclusions"] + len(_later(row, as_of)),
        summaries=row["summaries"],
        messages=row["messages"],
    )


def _in_full(row: Row, as_of: int) -> RetractionInFull:
    unit = _unit(row, as_of)
    undone = unit.state == "undone"
    return RetractionInFull(
        retraction=unit,
        retracted=_went([*_taken(row["taken"]), *_later(row, as_of)]),
        kept=_read(row["kept"], tuple[KeptConclusion, ...]),
        summaries=[
            WithdrawnSummary(each.id, each.session, each.kind)
            for each in _read(row["summed"], tuple[TakenSummary, ...])
        ],
        messages=[
            WithheldMessages(each.session, each.ids)
            for each in _read(row["said"], tuple[TakenMessages, ...])
        ],
        lost=_read(row["lost"], tuple[str, ...]) if undone else (),
        withdrawn=_went(_taken(row["withdrawn"])) if undone else [],
    )


def _later(row: Row, as_of: int) -> list[TakenConclusion]:
    """Return what fell with it after it was recorded."""
    later = _read(row["extended"], dict[str, tuple[TakenConclusion, ...]])
    by_position = sorted((int(position), taken) for position, taken in later.items())
    return [each for at, taken in by_position if at <= as_of for each in taken]


def _taken(stored: Any) -> tuple[TakenConclusion, ...]:
    taken: tuple[TakenConclusion, ...] = _read(stored, tuple[TakenConclusion, ...])
    return taken


def _went(taken: Any) -> list[Went]:
    return [Went(each.id, each.because) for each in taken]


def _json(stored: Any) -> Any:
    return msgspec.Raw(stored.encode())


def _read(stored: Any, kind: Any) -> Any:
    return msgspec.json.decode(stored, type=kind)
