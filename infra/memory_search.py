"""Searches the live views for what a question may be answered with."""

import asyncio
from collections.abc import Sequence
from typing import Final

from commands.asking import AskedQuestion
from domain.names import SCOPE_PREFIX
from processors.recall import Recalled, Recollection
from projections.as_of import holding, recorded_by
from projections.collection import Probe, find_collection
from projections.conclusion_search import ConclusionQuestion, search_conclusions
from projections.condition import Bind, Condition, always, equals, every
from projections.evidence import evidence_of
from projections.message_search import Question, search_messages
from projections.ports import Connection, Database, QueryEmbedder, Row, Views
from projections.vectors import Kind

_CONCLUSIONS: Final = """
SELECT id, origin, content, occurred_at, observed, level FROM conclusion
WHERE tenant = $1 AND id = ANY ($2::text[]) AND {held}
"""

_MESSAGES: Final = """
SELECT id, content, created_at, peer FROM message
WHERE tenant = $1 AND id = ANY ($2::text[]) AND {held}
"""

_NEARNESS: Final[dict[Kind, str]] = {"conclusion": "origin", "message": "id"}
"""The column a kind's vectors are found by."""


_EXPLICIT: Final = "explicit"

AT_ONCE: Final = 3
"""Recalls the database does at once: the other readers are for whoever asks less."""


class ViewMemorySearch:
    """Fulfils ``processors.recall.MemorySearch``.

    Found are conclusions the asking peer holds of the target, and what the target
    said in sessions the asking peer was ever a member of (RS 7.5), or in the one
    session the question names. A scope in the peer's place heard its sessions. Where
    the whole workspace is asked, each of its conclusions and messages may be found.
    Where only some sessions may be recalled from, conclusions are explicit ones of
    theirs (HC 6.7). Without an embedder words alone decide. A question of the past
    is asked of what was held and had been heard then.
    """

    def __init__(
        self, database: Database, embedder: QueryEmbedder, views: Views
    ) -> None:
        self._database = database
        self._embedder = embedder
        self._views = views
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def recall(self, question: AskedQuestion, limit: int) -> Recalled:
        """Return explicit conclusions, others and messages, best of each first."""
        vector = await self._embedder.embed_query(question.query)
        probe = None
        if vector is not None:
            model, dimensions = self._embedder.model, self._embedder.dimensions
            probe = Probe(vector, model, dimensions)
        as_of = min(self._views.position, question.as_of)
        legs = (_is_explicit,) if _confined(question) else (_is_explicit, _is_derived)
        async with self._turns, self._database.acquire() as db:
            conclusions = [
                each
                for leg in legs
                for each in await _conclusions(db, question, limit, probe, leg)
            ]
            messages = await _messages(db, question, limit, probe)
        return Recalled((*conclusions, *messages), as_of)


def _confined(question: AskedQuestion) -> bool:
    """Tell whether sessions were listed, by themselves or by scopes joined."""
    return question.sessions is not None


async def _conclusions(
    db: Connection,
    question: AskedQuestion,
    limit: int,
    probe: Probe | None,
    leg: Condition,
) -> list[Recollection]:
    tenant = question.workspace
    where = leg
    if _confined(question):
        where = every(leg, _in_sessions("c", question.sessions or ()))
    scored = await search_conclusions(
        db,
        ConclusionQuestion(
            tenant=tenant,
            observer=question.scope or question.peer,
            observed=question.target,
            query=question.query,
            limit=limit,
            probe=probe,
            where=where,
            as_of=question.as_of,
        ),
    )
    ids, held = [each.id for each in scored], holding(question.as_of)
    rows = await _in_order(db, _CONCLUSIONS, tenant, ids, held)
    origins = [row["origin"] for row in rows]
    near = await _similarities(db, "conclusion", question, origins, probe)
    rests_on: dict[str, list[str]] = {}
    for cited in await evidence_of(db, tenant, origins, question.as_of):
        rests_on.setdefault(cited.conclusion, []).append(cited.message)
    return [
        Recollection(
            kind="conclusion",
            id=row["origin"],
            text=row["content"],
            at=row["occurred_at"],
            peer=row["observed"],
            similarity=near.get(row["origin"], 0.0),
            level=row["level"],
            evidence=tuple(rests_on.get(row["origin"], ())),
        )
        for row in rows
    ]


async def _messages(
    db: Connection, question: AskedQuestion, limit: int, probe: Probe | None
) -> list[Recollection]:
    tenant = question.workspace
    scored = await search_messages(
        db,
        Question(
            tenant=tenant,
            query=question.query,
            limit=limit,
            probe=probe,
            session=question.session,
            where=_heard(question),
            as_of=question.as_of,
        ),
    )
    rows = await _in_order(db, _MESSAGES, tenant, [each.id for each in scored], always)
    ids = [row["id"] for row in rows]
    near = await _similarities(db, "message", question, ids, probe)
    return [
        Recollection(
            kind="message",
            id=row["id"],
            text=row["content"],
            at=row["created_at"],
            peer=row["peer"],
            similarity=near.get(row["id"], 0.0),
        )
        for row in rows
    ]


def _heard(question: AskedQuestion) -> Condition:
    """Hold for the messages a question may be answered with."""
    conditions: list[Condition] = []
    if question.target is not None:
        conditions.append(equals("m.peer", question.target))
    if question.peer is not None and question.scope is None:
        conditions.append(_heard_by(question.peer, question.as_of))
    if question.scope is not None:
        scope = question.scope.removeprefix(SCOPE_PREFIX)
        conditions.append(_in_scope(scope, question.as_of))
    if question.sessions is not None:
        conditions.append(_in_sessions("m", question.sessions))
    return every(*conditions) if conditions else always


def _heard_by(peer: str, as_of: int) -> Condition:
    """Hold for messages of sessions the peer was ever a member of by then."""
    return lambda bind: (
        "EXISTS (SELECT FROM member AS h WHERE h.tenant = m.tenant"
        f" AND h.session = m.session AND h.peer = {bind(peer)}"
        f" AND {recorded_by(as_of, 'h.from_position')(bind)})"
    )


def _in_scope(scope: str, as_of: int) -> Condition:
    """Hold for messages of the sessions a scope holds then."""
    return lambda bind: (
        "EXISTS (SELECT FROM scope_session AS h WHERE h.tenant = m.tenant"
        f" AND h.session = m.session AND h.scope = {bind(scope)}"
        f" AND h.active AND {holding(as_of, 'h')(bind)})"
    )


def _in_sessions(alias: str, sessions: Sequence[str]) -> Condition:
    return lambda bind: f"{alias}.session = ANY ({bind(list(sessions))}::text[])"


def _is_explicit(bind: Bind) -> str:
    return f"c.level = {bind(_EXPLICIT)}"


def _is_derived(bind: Bind) -> str:
    return f"c.level <> {bind(_EXPLICIT)}"


async def _in_order(
    db: Connection, query: str, tenant: str, ids: Sequence[str], held: Condition
) -> list[Row]:
    if not ids:
        return []
    bind = Bind(tenant, list(ids))
    found = await db.fetch(query.format(held=held(bind)), *bind.values)
    rows = {row["id"]: row for row in found}
    return [rows[each] for each in ids if each in rows]


async def _similarities(
    db: Connection,
    kind: Kind,
    question: AskedQuestion,
    ids: Sequence[str],
    probe: Probe | None,
) -> dict[str, float]:
    """Return the cosine to the question of those that have a vector."""
    vectors = await find_collection(db, kind, probe)
    if vectors is None or not ids:
        return {}
    bind = Bind(question.workspace)
    column = f"v.{_NEARNESS[kind]}"
    rows = await db.fetch(
        f"SELECT {column} AS id, 1 - ({vectors.distance(bind)}) AS similarity"  # noqa: S608  every value is bound
        f" FROM {vectors.table} AS v"
        f" WHERE v.tenant = $1 AND {column} = ANY ({bind(list(ids))}::text[])"
        f" AND {recorded_by(question.as_of, 'v.position')(bind)}",
        *bind.values,
    )
    return {row["id"]: row["similarity"] for row in rows}
