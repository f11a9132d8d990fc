"""Counts what should hang together and does not: each with an example, none quoted."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import asyncpg
import msgspec

Weight = Literal["error", "waits", "leftover"]


class Orphans(msgspec.Struct, frozen=True, kw_only=True):
    """How many there are of one kind, and one of them (workspace and id).

    An ``error`` must never be; what ``waits`` is still to come; a ``leftover`` does
    no harm: what it was made for never happened, or is erased.
    """

    name: str
    weight: Weight
    count: int
    example: str | None = None


_EVIDENCE: Final = """
SELECT e.tenant || '/' || e.conclusion AS example FROM evidence AS e
WHERE NOT EXISTS (SELECT FROM message AS m
    WHERE m.tenant = e.tenant AND m.id = e.message)
"""

# What a client made for one observer cites nothing, nor does what it said right. A
# source is named by any of the ids of its rows.
_UNGROUNDED: Final = """
WITH RECURSIVE named AS MATERIALIZED (
    SELECT c.tenant, c.origin, c.id FROM conclusion AS c
    UNION SELECT c.tenant, c.origin, c.origin FROM conclusion AS c
), built AS MATERIALIZED (
    SELECT DISTINCT c.tenant, c.origin, n.origin AS source
    FROM conclusion AS c CROSS JOIN LATERAL unnest(c.sources) AS s (id)
    JOIN named AS n ON n.tenant = c.tenant AND n.id = s.id
    WHERE c.sources <> '{}'
), grounded AS (
    SELECT DISTINCT c.tenant, c.origin FROM conclusion AS c
    WHERE EXISTS (SELECT FROM evidence AS e
            JOIN message AS m ON m.tenant = e.tenant AND m.id = e.message
            WHERE e.tenant = c.tenant AND e.conclusion = c.origin)
        OR (c.sources = '{}' AND NOT EXISTS (SELECT FROM evidence AS e
                WHERE e.tenant = c.tenant AND e.conclusion = c.origin)
            AND (c.named OR EXISTS (SELECT FROM life AS l
                WHERE l.tenant = c.tenant AND l.superseded_by = c.origin)))
    UNION
    SELECT b.tenant, b.origin FROM grounded AS g
    JOIN built AS b ON b.tenant = g.tenant AND b.source = g.origin
)
SELECT DISTINCT c.tenant || '/' || c.origin AS example FROM conclusion AS c
WHERE c.to_position IS NULL AND NOT EXISTS (SELECT FROM grounded AS g
    WHERE g.tenant = c.tenant AND g.origin = c.origin)
"""

_SUMMARIES: Final = """
SELECT s.tenant || '/' || s.id AS example FROM summary AS s
WHERE s.to_position IS NULL AND NOT EXISTS (SELECT FROM message AS m
    WHERE m.tenant = s.tenant AND m.session = s.session AND m.seq >= s.to_seq)
"""

_MEMBERS: Final = """
SELECT m.tenant || '/' || m.session || '/' || m.peer AS example FROM member AS m
WHERE m.to_position IS NULL AND NOT EXISTS (SELECT FROM peer AS p
    WHERE p.tenant = m.tenant AND p.peer = m.peer)
"""

_MESSAGE_VECTORS: Final = """
SELECT v.tenant || '/' || v.id AS example FROM {table} AS v
WHERE NOT EXISTS (SELECT FROM message AS m WHERE m.tenant = v.tenant AND m.id = v.id)
"""

_CONCLUSION_VECTORS: Final = """
SELECT v.tenant || '/' || v.origin AS example FROM {table} AS v
WHERE NOT EXISTS (SELECT FROM conclusion AS c
    WHERE c.tenant = v.tenant AND c.origin = v.origin)
"""

_WITHOUT_VECTOR: Final = """
SELECT m.tenant || '/' || m.id AS example FROM message AS m WHERE TRUE
"""

_NO_VECTOR: Final = """
AND NOT EXISTS (SELECT FROM {table} AS v WHERE v.tenant = m.tenant AND v.id = m.id)
"""

_UNUSED: Final = """
WITH named AS MATERIALIZED (
    SELECT DISTINCT e.tenant, r.data ->> 'model' AS model, i.item ->> 'fingerprint' AS f
    FROM log.event AS e
    CROSS JOIN LATERAL (SELECT convert_from(e.data, 'UTF8')::jsonb AS data) AS r
    CROSS JOIN LATERAL jsonb_array_elements(r.data -> 'items') AS i (item)
    WHERE e.type = 'embedding-recorded'
)
SELECT v.tenant || '/' || v.fingerprint AS example FROM log.embedding AS v
WHERE NOT EXISTS (SELECT FROM named AS n
    WHERE n.tenant = v.tenant AND n.model = v.model AND n.f = v.fingerprint)
"""

_COMMANDS: Final = """
SELECT c.tenant || '/' || c.id AS example FROM log.command AS c
WHERE c.last > (SELECT coalesce(max(position), 0) FROM log.event)
"""

_TRACKING: Final = """
SELECT t.application AS example FROM work.tracking AS t
WHERE t.position > (SELECT coalesce(max(position), 0) FROM log.event)
"""

_ALWAYS: Final[tuple[tuple[str, Weight, str], ...]] = (
    ("evidence whose message is gone", "error", _EVIDENCE),
    ("live conclusions without a message under them", "error", _UNGROUNDED),
    ("summaries beyond the last message", "error", _SUMMARIES),
    ("members that are no peers", "error", _MEMBERS),
    ("commands beyond the head of the log", "error", _COMMANDS),
    ("readers beyond the head of the log", "error", _TRACKING),
    ("recorded vectors that no event names", "leftover", _UNUSED),
)

# Vectors are folded behind: until they catch up, what is gone may still have some.
_BEHIND: Final = """
SELECT count(DISTINCT position) > 1 FROM checkpoint
WHERE projection IN ('messages', 'conclusions', 'vectors')
"""


async def count_orphans(db: asyncpg.Connection) -> list[Orphans]:
    """Count every kind; unqualified names are the live views, in one snapshot."""
    found = [await _count(db, *each) for each in _ALWAYS]
    rows = await db.fetch("SELECT name, kind FROM vector_collection ORDER BY name")
    weight: Weight = "waits" if await db.fetchval(_BEHIND) else "error"
    without = _WITHOUT_VECTOR
    for row in rows:
        table = f'"{row["name"]}"'
        statement = _CONCLUSION_VECTORS
        if row["kind"] != "conclusion":
            statement = _MESSAGE_VECTORS
        if row["kind"] == "message":
            without += _NO_VECTOR.format(table=table)
        name = f"vectors in {row['name']} whose text is gone"
        found.append(await _count(db, name, weight, statement.format(table=table)))
    found.append(await _count(db, "messages without a vector", "waits", without))
    return found


def count_keys(known: Mapping[int, bool], sealed: Mapping[int, int]) -> list[Orphans]:
    """Hold the key table against the keys that events were sealed under.

    ``known`` is each key's number and whether it is alive, read after the events, for
    a key is made before its first event; ``sealed`` is each key's number and the first
    position sealed under it.
    """
    unknown = sorted(at for number, at in sealed.items() if number not in known)
    erased = sorted(at for number, at in sealed.items() if known.get(number) is False)
    unused = sorted(
        number for number, alive in known.items() if alive and number not in sealed
    )
    return [
        _counted("keys that are nowhere, though events are sealed", "error", unknown),
        _counted("keys destroyed: what they sealed is erased", "leftover", erased),
        _counted("keys under which nothing is sealed", "leftover", unused, "key"),
    ]


def _counted(
    name: str, weight: Weight, found: Sequence[int], kind: str = "position"
) -> Orphans:
    example = f"{kind} {found[0]}" if found else None
    return Orphans(name=name, weight=weight, count=len(found), example=example)


async def _count(
    db: asyncpg.Connection, name: str, weight: Weight, statement: str
) -> Orphans:
    row = await db.fetchrow(
        f"SELECT count(*) AS count, min(example) AS example FROM ({statement}) AS o"  # noqa: S608  constants
    )
    return Orphans(name=name, weight=weight, count=row["count"], example=row["example"])
