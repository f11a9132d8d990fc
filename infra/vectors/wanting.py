"""Which model is wanted, where processes are set to different ones.

The newest wanted is the one that is being filled, else the one that serves. It changes
when a process starts that is set to a model nobody asked for before. One that was asked
for before comes back by command only: a worker with an old setting may start at any
time, also while no other runs. But an ``up`` is all there is: where the newest was
asked for by an ``up``, and none runs that asks for it, its setting was changed back.
Who starts with an older one follows the newest, and says so.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from socket import gethostname
from typing import Final

import asyncpg
import msgspec

from infra.postgres.connection import settings_of
from infra.postgres.lock_key import lock_key
from infra.postgres.role import usable_role
from infra.roles import UP
from infra.vectors.ledger import CollectionLedger, Known
from infra.vectors.models import BUNDLED, Wanted

_OURS: Final = 0x5D7EA9

_IS_ASKED_FOR: Final = "SELECT NOT pg_try_advisory_xact_lock($1, $2)"

_ASKED_FOR_BY: Final = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid::bigint = $1 AND objid::bigint = ($2::bigint & 4294967295)
"""

_ASK: Final = "SELECT pg_try_advisory_lock_shared($1, $2)"

_WITHIN: Final = 5.0
"""Seconds the database has to answer who looks again and again."""

# Before collections were on record, each model had a reader of its own.
_BEFORE: Final = """
SELECT DISTINCT c.model, c.dimensions, w.position
FROM view.vector_collection AS c JOIN work.progress AS w ON w.processor
    = CASE c.model WHEN $1 THEN 'embed_memory' ELSE 'embed_memory.' || c.model END
ORDER BY w.position DESC, c.model
"""


class Standing(msgspec.Struct, frozen=True):
    """Which collection serves, and which is filled, if one is."""

    serving: Known
    filling: Known | None

    @property
    def newest(self) -> Known:
        """The one that is wanted now."""
        return self.serving if self.filling is None else self.filling


class Wanting:
    """What this process asks for, and that it does: a lock of a connection of its own.

    So a process that ended, however, asks for nothing any more. ``role`` is who asks,
    None for one that wants nothing.
    """

    def __init__(self, dsn: str, wanted: Wanted, role: str | None) -> None:
        self.wanted = wanted
        self._role = role
        self._wants = role is not None
        self._dsn = dsn
        self._connection: asyncpg.Connection | None = None
        self._asks = False

    async def begin(self, running: AsyncExitStack) -> Standing:
        """Find out what is wanted, with this start, and ask for that until the end."""
        running.callback(self._leave)
        db = await self._connected()
        ledger = CollectionLedger(db)
        async with ledger.alone():
            known = await ledger.all()
            target = _named(self.wanted, known)
            if not any(each.state == "serving" for each in known):
                before = await _before(db, target)
                if not self._wants:
                    return Standing(before, None)
                await ledger.serve(before)
            standing = standing_of(await ledger.all())
            if not self._wants:
                return standing
            is_older = any(each.base == target.base for each in known)
            if not (is_older and await self._follows(db, standing.newest)):
                await self._want(ledger, target, standing)
                standing = standing_of(await ledger.all())
                await self._ask(db)
        return standing

    async def insist(self, running: AsyncExitStack) -> Standing:
        """Let what is set here be wanted, whoever asked for another: a command's."""
        running.callback(self._leave)
        ledger = CollectionLedger(await self._connected())
        async with ledger.alone():
            known = await ledger.all()
            target = _named(self.wanted, known)
            if any(each.state == "serving" for each in known):
                await self._want(ledger, target, standing_of(known))
            else:
                await ledger.serve(target)
            return standing_of(await ledger.all())

    async def look(self) -> Standing | None:
        """Return what stands now, asking for the newest if that is ours.

        None while nothing is on record.

        Raises:
            OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError: the
                database does not answer.
        """
        # Not so at the start: several processes that begin at once take turns.
        async with asyncio.timeout(_WITHIN):
            db = await self._connected()
            known = await CollectionLedger(db).all()
            if not any(each.state == "serving" for each in known):
                return None
            standing = standing_of(known)
            if self._wants and not self._asks and self.is_ours(standing.newest):
                await self._ask(db)
            return standing

    def is_ours(self, known: Known) -> bool:
        """Tell whether it is a collection of the model that is set here."""
        return known.base == self.wanted.base

    async def _follows(self, db: asyncpg.Connection, newest: Known) -> bool:
        """Tell whether the newest stays wanted, though another is set here."""
        if self.is_ours(newest):
            return False
        by = newest.wanted_by or UP.name
        if self._role != UP.name or by.partition(" ")[0] != UP.name:
            return True
        asked: bool = await db.fetchval(_IS_ASKED_FOR, _OURS, lock_key(newest.base))
        return asked

    async def _want(
        self, ledger: CollectionLedger, target: Known, standing: Standing
    ) -> None:
        serving, newest = standing.serving, standing.newest
        if target.model == serving.model:
            await ledger.keep(msgspec.structs.replace(serving, asked=target.asked))
        else:
            await ledger.fill(target)
        if target.model != newest.model or newest.wanted_by is None:
            by = f"{self._role} on {gethostname()}"
            await ledger.wanted(target.model, by)

    async def _ask(self, db: asyncpg.Connection) -> None:
        self._asks = await db.fetchval(_ASK, _OURS, lock_key(self.wanted.base))

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._asks = False
            self._connection = await asyncpg.connect(
                self._dsn,
                server_settings=settings_of(
                    await usable_role(self._dsn, "work"), "palimpsest-vectors"
                ),
            )
        return self._connection

    def _leave(self) -> None:
        if self._connection is not None:
            self._connection.terminate()


async def asked_for_by(db: asyncpg.Pool, known: Known) -> int:
    """Return how many processes run now that are set to a model, and ask for it."""
    count: int = await db.fetchval(_ASKED_FOR_BY, _OURS, lock_key(known.base))
    return count


def standing_of(known: Sequence[Known]) -> Standing:
    """Return which serves and which is filled, of all that are on record."""
    by_state = {each.state: each for each in known}
    return Standing(by_state["serving"], by_state.get("filling"))


def newest_of(known: Sequence[Known]) -> Known | None:
    """Return the one that is wanted of all on record, None where nothing is yet."""
    by_state = {each.state: each for each in known}
    return by_state.get("filling", by_state.get("serving"))


def reader_name(model: str) -> str:
    """Name who embeds the log with this model: each model has its own place in it."""
    return "embed_memory" if model == BUNDLED else f"embed_memory.{model}"


def _named(wanted: Wanted, all_known: Sequence[Known]) -> Known:
    """Return the collection of a model: the newest, or another if that was dropped."""
    found = [each for each in all_known if each.base == wanted.base]
    newest = max(found, key=lambda each: each.generation, default=None)
    if newest is not None and newest.state != "dropped":
        return msgspec.structs.replace(newest, asked=wanted.asked)
    generation = 1 if newest is None else newest.generation + 1
    return Known(
        model=wanted.base if generation == 1 else f"{wanted.base}#{generation}",
        base=wanted.base,
        generation=generation,
        dimensions=wanted.dimensions,
        state="filling",
        since=0,
        asked=wanted.asked,
    )


async def _before(db: asyncpg.Connection, target: Known) -> Known:
    """Return what served before anything was on record; where nothing did, the target.

    That is the model that had come the farthest.
    """
    rows = await db.fetch(_BEFORE, BUNDLED)
    if not rows or rows[0]["model"] == target.model:
        return target
    return Known(
        model=rows[0]["model"],
        base=rows[0]["model"],
        generation=1,
        dimensions=rows[0]["dimensions"],
        state="serving",
        since=0,
        asked={},
    )
