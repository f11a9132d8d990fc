"""Dreams, listed: which wait, run, failed and are over."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from pydantic import Field

from domain.dream import SpecialistCompleted
from projections.dreams import DreamTold
from projections.dreams import list_dreams as find_dreams
from projections.ports import Database, Views
from read_api.asking import Named
from read_api.moment import PresentQuery, answer, reached
from read_api.ports import Injected, Parse


class DreamQuery(PresentQuery):
    """Whose dreams, and how many of the newest."""

    observer_id: Named | None = None
    observed_id: Named | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class SpecialistShown(msgspec.Struct, frozen=True, kw_only=True):
    """One who worked in a dream, up to which position it read, and what came of it.

    Counts are of conclusions by level, of tools by name; ``refused`` are single things
    it wanted and might not, ``ended`` says whether by itself. ``no_hints`` says why it
    was pointed at nothing.
    """

    specialist: str
    attempt: int
    read_up_to: int
    model: str | None
    prompt: str | None
    usage: dict[str, int]
    cost_usd: float | None
    iterations: int
    tool_calls: dict[str, int]
    created: dict[str, int]
    reinforced: int
    deleted: dict[str, int]
    card_changes: int
    refused: int
    hints: int
    no_hints: str
    ended: str


class DreamShown(msgspec.Struct, frozen=True, kw_only=True):
    """A dream of what one peer holds of another.

    ``state`` is waiting, running, failed, completed, cancelled or given-up, ``reason``
    why it is empty, failed or was cancelled; ``trigger`` is asked, threshold or scope.
    It may begin, or begin again, at ``due_at``: one that comes by itself, later if
    something is concluded meanwhile.
    """

    id: str
    observer_id: str
    observed_id: str
    dream_type: str
    state: str
    trigger: str
    scheduled_at: datetime
    due_at: datetime
    attempt: int
    reason: str | None
    changes: int
    specialists: list[SpecialistShown]


class DreamList(msgspec.Struct, frozen=True):
    """The newest dreams first."""

    items: list[DreamShown]


@get("/v3/workspaces/{workspace:str}/dreams", opt={"query": DreamQuery})
async def list_dreams(
    workspace: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
) -> Response[DreamList]:
    """List dreams of a workspace, the newest first, with who worked in them."""
    query = parse.query(DreamQuery)
    moment = await reached(views, query)
    pair = (query.observer_id, query.observed_id)
    async with database.acquire() as db:
        found = await find_dreams(db, workspace, pair, query.limit)
    return answer(DreamList([_shown(each) for each in found]), moment)


def _shown(dream: DreamTold) -> DreamShown:
    return DreamShown(
        id=dream.id,
        observer_id=dream.observer,
        observed_id=dream.observed,
        dream_type=dream.kind,
        state=dream.state,
        trigger=dream.trigger,
        scheduled_at=dream.scheduled_at,
        due_at=dream.due_at,
        attempt=dream.attempt,
        reason=dream.reason,
        changes=dream.changes,
        specialists=[_specialist(each) for each in dream.told],
    )


def _specialist(done: SpecialistCompleted) -> SpecialistShown:
    call = done.engine.call
    cost = None if call is None else call.cost_usd_micros
    return SpecialistShown(
        specialist=done.specialist,
        attempt=done.attempt,
        read_up_to=done.position,
        model=done.engine.model,
        prompt=done.engine.prompt,
        usage=done.engine.usage,
        cost_usd=None if cost is None else cost / 1_000_000,
        iterations=done.iterations,
        tool_calls=done.tool_calls,
        created=done.created,
        reinforced=done.reinforced,
        deleted=done.deleted,
        card_changes=done.card_changes,
        refused=done.refused,
        hints=done.hints,
        no_hints=done.no_hints,
        ended=done.ended,
    )
