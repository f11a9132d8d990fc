"""How much reasoning is asked for and done (E06)."""

from datetime import UTC, datetime, timedelta

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from projections.derivation_ranges import count_failures
from projections.dreams import DreamCount, count_dreams
from projections.ports import Connection, Database, QueryEmbedder, Views
from projections.progress_counts import Items, count_items
from projections.unembedded import Unembedded, count_unembedded
from read_api.asking import Named
from read_api.moment import PresentQuery, answer, reached
from read_api.ports import FindBudget, Injected, Parse

EMBEDDED_WITHIN = timedelta(seconds=10)
"""So long work counts as pending for want of a vector of what it concluded."""


class QueueQuery(PresentQuery):
    """Whose work; an empty text is no restriction."""

    observer_id: Named | None = None
    sender_id: Named | None = None
    session_id: Named | None = None


class SessionQueueStatus(msgspec.Struct, frozen=True):
    """The work of one session; ``session_id`` is its opaque id, as the key is."""

    session_id: str | None
    total_work_units: int
    completed_work_units: int
    in_progress_work_units: int
    pending_work_units: int


class QueueStatus(msgspec.Struct, frozen=True):
    """The work of a workspace; total is the sum of the other three.

    ``budget`` is there while what is pending waits for it, and says until when;
    ``failures`` while some messages could not be derived: how many runs of them, by
    state (RS 14).
    """

    total_work_units: int
    completed_work_units: int
    in_progress_work_units: int
    pending_work_units: int
    sessions: dict[str, SessionQueueStatus] | None
    budget: str | msgspec.UnsetType = msgspec.UNSET
    failures: dict[str, int] | msgspec.UnsetType = msgspec.UNSET


@get("/v3/workspaces/{workspace:str}/queue/status", opt={"query": QueueQuery})
async def get_queue_status(
    workspace: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
    query_embedder: Injected[QueryEmbedder],
    find_budget: Injected[FindBudget],
) -> Response[QueueStatus]:
    """Count work items: of messages, of summaries that fell due, of dreams (E06).

    An observer matches dreams, a sender what is concluded from what they said; with
    both, either counts. Dreams have no session, and are all that is ever shown to be
    in progress: of the rest, views do not show who works on what. What is concluded is
    done once meaning finds it: who waits until nothing is pending, and then asks, is
    not to miss it.
    """
    query = parse.query(QueueQuery)
    position = await reached(views, query)
    session = query.session_id or None
    async with database.acquire() as db:
        items: list[Items] = []
        dreams = DreamCount(0, 0)
        if query.sender_id or not query.observer_id:
            items = await count_items(db, workspace, session, query.sender_id or None)
            unfinished = Unembedded(
                tenant=workspace,
                model=query_embedder.model,
                dimensions=query_embedder.dimensions,
                since=datetime.now(UTC) - EMBEDDED_WITHIN,
                session=session,
                sender=query.sender_id or None,
            )
            items = _less(items, await count_unembedded(db, unfinished))
        if session is None and (query.observer_id or not query.sender_id):
            dreams = await count_dreams(db, workspace, query.observer_id or None)
        failures = await count_failures(db, workspace, session)
        uids = await _uids(db, workspace, [each.session for each in items])
    sessions = {
        uids[each.session]: _of(uids[each.session], each)
        for each in items
        if each.session in uids
    }
    total = dreams.total + sum(each.total for each in items)
    completed = dreams.completed + sum(each.completed for each in items)
    content = QueueStatus(
        total_work_units=total,
        completed_work_units=completed,
        in_progress_work_units=dreams.running,
        pending_work_units=total - completed - dreams.running,
        sessions=sessions if sessions and session is None else None,
        budget=(await find_budget(workspace)).told or msgspec.UNSET,
        failures=failures or msgspec.UNSET,
    )
    return answer(content, position)


def _less(items: list[Items], unfinished: dict[str, int]) -> list[Items]:
    """Take back, of what is done in each session, what is not finished after all."""
    return [
        msgspec.structs.replace(
            each, completed=max(0, each.completed - unfinished.get(each.session, 0))
        )
        for each in items
    ]


def _of(uid: str, items: Items) -> SessionQueueStatus:
    return SessionQueueStatus(
        session_id=uid,
        total_work_units=items.total,
        completed_work_units=items.completed,
        in_progress_work_units=0,
        pending_work_units=items.total - items.completed,
    )


async def _uids(db: Connection, workspace: str, sessions: list[str]) -> dict[str, str]:
    rows = await db.fetch(
        "SELECT session, uid FROM session WHERE tenant = $1 AND session = ANY($2)"
        " AND to_position IS NULL",
        workspace,
        sessions,
    )
    return {row["session"]: row["uid"] for row in rows}
