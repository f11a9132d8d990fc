"""The law beside a server that goes on: what it folded lately equals a fold anew."""

import asyncio
import time
from pathlib import Path

import asyncpg

from domain.events import EVENT_BY_TAG
from domain.recorded import Recorded
from infra.key_source import master_key_of
from infra.master_key import MasterKey
from infra.postgres.data_keys import DataKeys
from infra.postgres.embedded import running_cluster
from infra.postgres.mapper import StructMapper
from infra.postgres.reader import Reader
from infra.postgres.views import LIVE, connect_views, make_schema, make_tables
from infra.proof.comparison import Difference, Rows, compare_rows, tables_of
from infra.rebuild.lanes import fold
from infra.settings import Settings
from infra.upcasters import UPCASTERS
from projections.registry import LAGGING, PROMPT

SCHEMA = "law_beside"
VIEWS = (*PROMPT, *LAGGING)
BATCH = 2_000
WITHIN = 60.0

_STANDS = f"SELECT projection, position FROM {LIVE}.checkpoint"  # noqa: S608  a constant
_TENANTS = "SELECT DISTINCT tenant FROM log.event WHERE position > $1"
_EVENTS = """
SELECT position, recorded_at, id, version, shard, stream, tenant, type, meta, data
FROM log.event WHERE tenant = ANY($1::text[]) AND position <= $2 ORDER BY position
"""
_WITH_TENANT = """
SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relnamespace = $1::text::regnamespace AND c.relkind = 'r'
    AND a.attname = 'tenant'
"""


class LawBeside:
    """Checks, whenever it is asked, the workspaces in which something happened since.

    All they ever held is folded from position 0 and compared row by row with what is
    shown, as both were at one moment of the database, each view as far as it was. It
    leaves nothing but empty tables.
    """

    def __init__(self) -> None:
        self._checked = 0

    def check(self, data: Path) -> None:
        """Compare what a server on this folder shows."""
        cluster = running_cluster(data)
        assert cluster is not None, "the server has no Postgres any more"
        asyncio.run(self.check_at(cluster.dsn(), master_key_of(data, Settings())))

    async def check_at(self, dsn: str, key: MasterKey) -> None:
        """Compare; again for a while, for an erasure under way is in neither fold."""
        db = await connect_views(dsn, SCHEMA)
        try:
            await _make_tables(db)
            deadline = time.monotonic() + WITHIN
            while found := await self._differences(db, key):
                assert time.monotonic() < deadline, found
                await asyncio.sleep(0.2)
        finally:
            await db.close()

    async def _differences(
        self, db: asyncpg.Connection, key: MasterKey
    ) -> list[Difference]:
        transaction = db.transaction(isolation="repeatable_read")
        await transaction.start()
        try:
            stands = {row[0]: row[1] for row in await db.fetch(_STANDS)}
            tenants = [row[0] for row in await db.fetch(_TENANTS, self._checked)]
            rows = await db.fetch(_EVENTS, tenants, max(stands.values()))
            # Keys too as they were at that moment.
            reader = Reader(
                db, StructMapper(EVENT_BY_TAG, UPCASTERS), DataKeys(db, key)
            )
            await _fold(db, await reader.opener.all_of(rows), stands)
            found = await _compare(db, tenants)
        finally:
            await transaction.rollback()
        if not found:
            self._checked = min(stands.values())
        return found


async def _make_tables(db: asyncpg.Connection) -> None:
    if await db.fetchval("SELECT to_regnamespace($1)", SCHEMA) is None:
        async with db.transaction():
            await make_schema(db, SCHEMA)
            await make_tables(db, VIEWS)


async def _fold(
    db: asyncpg.Connection, events: list[Recorded], stands: dict[str, int]
) -> None:
    for start in range(0, len(events), BATCH):
        batch = events[start : start + BATCH]
        for view in VIEWS:
            reached = [r for r in batch if r.position <= stands[view.name]]
            await fold(db, [view], reached)


async def _compare(db: asyncpg.Connection, tenants: list[str]) -> list[Difference]:
    theirs = {row[0] for row in await db.fetch(_WITH_TENANT, LIVE)}
    ours = {row[0] for row in await db.fetch(_WITH_TENANT, SCHEMA)}
    of_tenants = Rows("t.tenant = ANY($1::text[])", (tenants,))
    found = []
    for table in sorted(theirs | ours):
        if table not in ours:  # made by what other workspaces embed
            assert table in await tables_of(db, LIVE)
        elif table in theirs:
            found += await compare_rows(db, (LIVE, SCHEMA), table, of_tenants)
        else:
            found.append(Difference(table=table, only="folded"))
    return found
