"""The journal of calls of models, and what their workspaces have spent so far."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg
import msgspec

from domain.budget import Budget, Spent
from infra.postgres.views import LIVE

LOST_AFTER: Final = timedelta(hours=1)
"""So long after its beginning a call is given up whose process never told its end."""

_SETTLED_LATE: Final = timedelta(seconds=10)
"""So long after its end a call is looked for that its process did not count."""

_TURN: Final = 7700107

# What is only set aside, or only marked, need not wait for the disk: a server that is
# killed leaves it, and one whose machine fails has nothing under way.
_SOON: Final = "(SELECT set_config('synchronous_commit', 'off', true)) AS s"

_LOOK = f"""
SELECT (SELECT w.configuration FROM {LIVE}.workspace AS w
        WHERE w.tenant = $1 AND w.to_position IS NULL) AS configuration,
    a.key_number, a.response, a.id
FROM (SELECT) AS one LEFT JOIN LATERAL (
    SELECT c.id, c.key_number, c.response FROM log.llm_call AS c
    WHERE c.tenant = $1 AND c.key = $2 AND c.request_hash = $3
        AND c.response IS NOT NULL
    ORDER BY c.finished_at LIMIT 1
) AS a ON true
"""  # noqa: S608  a constant

_BEGIN = f"""
INSERT INTO log.llm_call (tenant, id, session, key, request_hash, key_number, tokens,
    cost, record)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 FROM {_SOON}
"""  # noqa: S608  a constant

_TAKE_TURN = f"SELECT pg_advisory_xact_lock({_TURN}, hashtext($1)) FROM {_SOON}"  # noqa: S608  constants

# A call is in the views once it is counted there; until then it counts here, as what
# was set aside while it is under way.
_SPENT = f"""
SELECT v.cost + coalesce(sum(c.cost), 0) AS cost,
    v.tokens + coalesce(sum(c.tokens), 0) AS tokens,
    coalesce(sum(c.cost) FILTER (WHERE c.finished_at IS NULL), 0) AS open_cost,
    coalesce(sum(c.tokens) FILTER (WHERE c.finished_at IS NULL), 0) AS open_tokens
FROM (
    SELECT coalesce(sum(s.cost), 0) AS cost, coalesce(sum(s.tokens), 0) AS tokens
    FROM {LIVE}.llm_spend AS s
    WHERE s.tenant = $1 AND ($2::timestamptz IS NULL
        OR s.day >= ($2 AT TIME ZONE 'UTC')::date)
) AS v LEFT JOIN log.llm_call AS c ON c.tenant = $1 AND NOT c.is_counted
    AND ($2::timestamptz IS NULL OR coalesce(c.finished_at, now()) >= $2)
    AND NOT EXISTS (SELECT FROM {LIVE}.llm_call AS k
        WHERE k.tenant = c.tenant AND k.id = c.id)
GROUP BY v.cost, v.tokens
"""  # noqa: S608  a constant

_REFUSE = """
INSERT INTO log.llm_refusal (tenant, cost, tokens) VALUES ($1, $2, $3)
ON CONFLICT (tenant) DO UPDATE SET refused_at = now(), cost = EXCLUDED.cost,
    tokens = EXCLUDED.tokens
"""

_REFUSED = """
SELECT r.cost, r.tokens FROM log.llm_refusal AS r
WHERE r.tenant = $1 AND NOT EXISTS (SELECT FROM log.llm_call AS c
    WHERE c.tenant = r.tenant AND c.started_at > r.refused_at)
"""

_FINISH = """
UPDATE log.llm_call AS c SET finished_at = e.finished_at, tokens = e.tokens,
    cost = e.cost, record = e.record,
    response = CASE WHEN c.key IS NULL THEN NULL ELSE e.response END
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[],
    $6::bytea[], $7::bytea[])
    AS e (tenant, id, finished_at, tokens, cost, record, response)
WHERE c.tenant = e.tenant AND c.id = e.id
"""

_COUNT = f"""
UPDATE log.llm_call AS c SET is_counted = true, record = NULL
FROM unnest($1::text[], $2::text[]) AS e (tenant, id), {_SOON}
WHERE c.tenant = e.tenant AND c.id = e.id
"""  # noqa: S608  a constant

_RECORDED = """
UPDATE log.llm_call AS c SET record = NULL
FROM unnest($1::text[], $2::text[]) AS e (tenant, id)
WHERE c.tenant = e.tenant AND c.id = e.id
"""

_LEFT = f"""
SELECT c.tenant, c.id, c.finished_at, c.tokens, c.cost, c.record, t.is_told
FROM log.llm_call AS c CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM {LIVE}.llm_call AS k
        WHERE k.tenant = c.tenant AND k.id = c.id) AS is_told
) AS t
WHERE NOT c.is_counted AND (t.is_told OR c.record IS NOT NULL)
    AND (c.finished_at < now() - $1::interval
        OR (c.finished_at IS NULL AND c.started_at < now() - $2::interval))
ORDER BY c.started_at LIMIT 500
"""  # noqa: S608  a constant

_SWEEP = """
DELETE FROM log.llm_call
WHERE is_counted AND started_at < now() - make_interval(days => $1)
"""

_FORGET_ANSWERS = """
UPDATE log.llm_call SET response = NULL, key = NULL, request_hash = NULL
WHERE tenant = $1 AND (session = $2 OR session IS NULL)
"""

_FORGET_ALL = "DELETE FROM log.llm_call WHERE tenant = $1"
_FORGET_REFUSAL = "DELETE FROM log.llm_refusal WHERE tenant = $1"


class Looked(msgspec.Struct, frozen=True):
    """What there is before a call: the workspace's settings, maybe an answer.

    ``response`` is sealed, for the call ``id``, under the key of that number.
    """

    configuration: Mapping[str, Any]
    id: str | None
    key_number: int | None
    response: bytes | None


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is about to be made; ``aside`` is the most it may take.

    ``key`` and ``request_hash`` name what its answer is found by, None where it is
    not looked for. ``record`` is what is appended if it is lost.
    """

    tenant: str
    id: str
    session: str | None
    key: bytes | None
    request_hash: bytes | None
    key_number: int | None
    aside: Spent
    record: bytes


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a call ended: what it took, what is appended, its answer, sealed."""

    tenant: str
    id: str
    finished_at: datetime
    spent: Spent
    record: bytes
    response: bytes | None = None


class LeftOver(msgspec.Struct, frozen=True, kw_only=True):
    """A call nobody counted; ``is_told`` where it is in the views all the same."""

    tenant: str
    id: str
    finished_at: datetime | None
    spent: Spent
    record: bytes
    is_told: bool


class CallJournal:
    """The table ``log.llm_call``; sums are looked at together with the views'."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def look(
        self, tenant: str, key: bytes | None, request_hash: bytes | None
    ) -> Looked:
        """Return a workspace's configuration, and what was answered before."""
        row = await self._pool.fetchrow(_LOOK, tenant, key, request_hash)
        stored = row["configuration"]
        configuration = {} if stored is None else msgspec.json.decode(stored)
        return Looked(configuration, row["id"], row["key_number"], row["response"])

    async def begin(
        self, begun: Begun, budget: Budget, since: datetime | None
    ) -> Spent | None:
        """Set aside what a call may take, unless that is more than there is.

        None when it was set aside; else what is spent, or set aside, ``since``. Who
        begins within one budget takes turns, in whatever process.
        """
        if not budget.is_capped:
            await self._pool.execute(_BEGIN, *_arguments(begun))
            return None
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_TAKE_TURN, begun.tenant)
            row = await connection.fetchrow(_SPENT, begun.tenant, since)
            spent = Spent(int(row["cost"]), int(row["tokens"]))
            if not budget.fits(spent + begun.aside):
                aside = (begun.aside.cost, begun.aside.tokens)
                await connection.execute(_REFUSE, begun.tenant, *aside)
                return spent
            await connection.execute(_BEGIN, *_arguments(begun))
        return None

    async def spent(
        self, tenant: str, since: datetime | None
    ) -> tuple[Spent, Spent, Spent | None]:
        """Return what is spent, what of it is only set aside, and what had no room.

        Set aside is for calls under way; the last call there was no room for would
        have taken so much, None where there was none or one had room since.
        """
        row = await self._pool.fetchrow(_SPENT, tenant, since)
        refused = await self._pool.fetchrow(_REFUSED, tenant)
        return (
            Spent(int(row["cost"]), int(row["tokens"])),
            Spent(int(row["open_cost"]), int(row["open_tokens"])),
            None if refused is None else Spent(refused["cost"], refused["tokens"]),
        )

    async def finish(self, calls: Sequence[Ended]) -> None:
        """Write durably how calls ended; an erased session's answers are dropped."""
        rows = [
            (
                each.tenant,
                each.id,
                each.finished_at,
                each.spent.tokens,
                each.spent.cost,
                each.record,
                each.response,
            )
            for each in calls
        ]
        await self._pool.execute(_FINISH, *map(list, zip(*rows, strict=True)))

    async def count(self, calls: Sequence[tuple[str, str]]) -> None:
        """Mark calls, by tenant and id, that are in the log and in the views."""
        await self._pool.execute(_COUNT, *map(list, zip(*calls, strict=True)))

    async def recorded(self, calls: Sequence[tuple[str, str]]) -> None:
        """Mark calls that are in the log and not yet in the views."""
        await self._pool.execute(_RECORDED, *map(list, zip(*calls, strict=True)))

    async def left_over(self) -> list[LeftOver]:
        """Return calls that ended, or must have, and whose process counted them not."""
        rows = await self._pool.fetch(_LEFT, _SETTLED_LATE, LOST_AFTER)
        return [
            LeftOver(
                tenant=row["tenant"],
                id=row["id"],
                finished_at=row["finished_at"],
                spent=Spent(row["cost"] or 0, row["tokens"]),
                record=row["record"],
                is_told=row["is_told"],
            )
            for row in rows
        ]

    async def sweep(self, days: int) -> int:
        """Forget calls older than ``days``, with their answers; return how many."""
        status = await self._pool.execute(_SWEEP, days)
        return int(status.rpartition(" ")[2])

    async def forget(self, tenant: str, session: str | None) -> None:
        """Forget what was answered for a session, or every call of a workspace.

        What belongs to no session may tell of any, so it goes with each. What calls
        took stays until it is counted.
        """
        if session is None:
            await self._pool.execute(_FORGET_ALL, tenant)
            await self._pool.execute(_FORGET_REFUSAL, tenant)
        else:
            await self._pool.execute(_FORGET_ANSWERS, tenant, session)


def _arguments(begun: Begun) -> tuple[Any, ...]:
    return (
        begun.tenant,
        begun.id,
        begun.session,
        begun.key,
        begun.request_hash,
        begun.key_number,
        begun.aside.tokens,
        begun.aside.cost,
        begun.record,
    )
