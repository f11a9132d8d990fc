"""Turns rows of views into what is remembered, in the order they were found."""

from collections.abc import Sequence
from typing import Final

import msgspec

from infra.sight_conditions import visible
from processors.recall import Recollection
from processors.tools.memory import Sight
from projections.as_of import holding
from projections.collection import find_collection
from projections.condition import Bind
from projections.evidence import evidence_of
from projections.ports import Connection, Row
from projections.probe import Probe
from projections.vectors import Kind

_CONCLUSIONS: Final = """
SELECT c.id, c.origin, c.content, c.occurred_at, c.observed, c.level
FROM conclusion AS c WHERE c.tenant = $1 AND c.id = ANY ($2::text[]) AND {held}
"""

_MESSAGES: Final = """
SELECT m.id, m.content, m.created_at, m.peer, m.session, m.seq FROM message AS m
WHERE m.tenant = $1 AND m.id = ANY ($2::text[])
"""

_VISIBLE: Final = """
SELECT m.id FROM message AS m
WHERE m.tenant = $1 AND m.id = ANY ($2::text[]) AND {visible}
"""

_NEARNESS: Final[dict[Kind, str]] = {"conclusion": "origin", "message": "id"}
"""The column a kind's vectors are found by."""


async def recollect_conclusions(
    db: Connection, sight: Sight, ids: Sequence[str], probe: Probe | None = None
) -> list[Recollection]:
    """Return conclusions by the ids of their rows, with messages within sight.

    ``similarity`` is 0 without a probe.
    """
    if not ids:
        return []
    bind = Bind(sight.workspace, list(ids))
    held = holding(sight.as_of, "c")(bind)
    found = await db.fetch(_CONCLUSIONS.format(held=held), *bind.values)
    by_id = {row["id"]: row for row in found}
    rows = [by_id[each] for each in ids if each in by_id]
    origins = [row["origin"] for row in rows]
    near = await _similarities(db, "conclusion", sight, origins, probe)
    rests_on = await _evidence(db, sight, origins)
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


async def recollect_messages(
    db: Connection, sight: Sight, ids: Sequence[str], probe: Probe | None = None
) -> list[Recollection]:
    """Return messages by their ids, whoever may see them."""
    if not ids:
        return []
    found = await db.fetch(_MESSAGES, sight.workspace, list(ids))
    by_id = {row["id"]: row for row in found}
    near = await _similarities(db, "message", sight, ids, probe)
    return [
        message_of(by_id[each], near.get(each, 0.0)) for each in ids if each in by_id
    ]


def message_of(row: Row, similarity: float = 0.0) -> Recollection:
    """Return a message of its row."""
    return Recollection(
        kind="message",
        id=row["id"],
        text=row["content"],
        at=row["created_at"],
        peer=row["peer"],
        similarity=similarity,
        session=row["session"],
        number=row["seq"],
    )


async def _evidence(
    db: Connection, sight: Sight, origins: Sequence[str]
) -> dict[str, list[str]]:
    """Return the messages conclusions rest on, those that who looks could hear.

    A sight's one session confines messages, not conclusions nor what these rest on.
    """
    sight = msgspec.structs.replace(sight, session=None)
    cited = await evidence_of(db, sight.workspace, origins, sight.as_of)
    bind = Bind(sight.workspace, [each.message for each in cited])
    statement = _VISIBLE.format(visible=visible(sight)(bind))
    rows = await db.fetch(statement, *bind.values) if cited else []
    seen = {row["id"] for row in rows}
    rests_on: dict[str, list[str]] = {}
    for each in cited:
        if each.message in seen:
            rests_on.setdefault(each.conclusion, []).append(each.message)
    return rests_on


async def _similarities(
    db: Connection,
    kind: Kind,
    sight: Sight,
    ids: Sequence[str],
    probe: Probe | None,
) -> dict[str, float]:
    """Return the cosine to the question of those that have a vector."""
    vectors = await find_collection(db, kind, probe)
    if vectors is None or not ids:
        return {}
    bind = Bind(sight.workspace)
    column = f"v.{_NEARNESS[kind]}"
    rows = await db.fetch(
        f"SELECT {column} AS id, 1 - ({vectors.distance(bind)}) AS similarity"  # noqa: S608  every value is bound
        f" FROM {vectors.table} AS v"
        f" WHERE v.tenant = $1 AND {column} = ANY ({bind(list(ids))}::text[])"
        f" AND {vectors.there(sight.as_of, bind)}",
        *bind.values,
    )
    return {row["id"]: row["similarity"] for row in rows}
