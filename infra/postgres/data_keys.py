"""The keys that seal personal fields: made when first needed, destroyed to erase.

Keys live wrapped in ``secret.data_key`` and for a while unwrapped in memory. Another
process may destroy a key: whoever opens asks each time which are still there, so that
nothing erased is read for as much as a moment. What seals need not ask: who may write
again where something was erased has read in the log that it was, and so a key that
sealed what is erased is forgotten here before another is wanted.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Final

import asyncpg

from domain.event import Subject
from infra.codec.seal import KEY, DataKey
from infra.master_key import MasterKey, MasterKeyUnusable
from infra.postgres.recent import Recent

REMEMBERED: Final = 60.0
"""Seconds an unwrapped key is kept in memory."""

CAPACITY: Final = 20_000
"""Keys kept in memory."""

_LARGEST_NUMBER: Final = 2**53 - 1  # JSON readers keep it exact

_MAKE = """
WITH asked AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bytea[])
        AS a (tenant, session, subject, number, wrapped)
), made AS (
    INSERT INTO secret.data_key (number, tenant, session, subject, wrapped)
    SELECT number, tenant, session, subject, wrapped FROM asked
    ON CONFLICT (tenant, session, subject) WHERE wrapped IS NOT NULL DO NOTHING
    RETURNING number, tenant, session, subject, wrapped
)
SELECT * FROM made
UNION ALL
SELECT k.number, k.tenant, k.session, k.subject, k.wrapped
FROM asked JOIN secret.data_key k USING (tenant, session, subject)
WHERE k.wrapped IS NOT NULL
"""

_FIND = """
SELECT number, tenant, session, subject, wrapped FROM secret.data_key
WHERE number = ANY ($1::bigint[]) AND wrapped IS NOT NULL
"""

_ALIVE = """
SELECT number FROM secret.data_key WHERE number = ANY ($1::bigint[])
    AND wrapped IS NOT NULL
"""

_ANY = """
SELECT number, tenant, session, subject, wrapped FROM secret.data_key
WHERE wrapped IS NOT NULL LIMIT 1
"""

_PLACED = """
SELECT number, tenant, session, subject, wrapped FROM secret.data_key
WHERE tenant = '' AND wrapped IS NOT NULL
"""

# Without the one that only holds the master key's place.
_NUMBERS = """
SELECT number, wrapped IS NOT NULL AS alive FROM secret.data_key WHERE tenant <> ''
"""

_PLACE: Final = Subject("", None, "")
"""Nobody: what is wrapped for it seals nothing, and is never destroyed."""

_DESTROY = """
UPDATE secret.data_key SET wrapped = NULL, destroyed_at = now()
WHERE tenant = $1 AND ($2::text IS NULL OR session = $2)
  AND ($3::text[] IS NULL OR subject = ANY ($3)) AND wrapped IS NOT NULL
RETURNING number, tenant, session, subject
"""


class DataKeys:
    """All data keys of one key table."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        master: MasterKey,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.pool = pool
        self._master = master
        self._in_use: Recent[Subject, DataKey] = Recent(CAPACITY, REMEMBERED, clock)
        self._erasures = 0
        self._numbered: Recent[int, DataKey | None] = Recent(
            CAPACITY, REMEMBERED, clock
        )

    async def verify(self) -> None:
        """Find out at the start, not at the first message, that the key is another.

        Raises:
            MasterKeyUnusable
        """
        row = await self.pool.fetchrow(_PLACED) or await self.pool.fetchrow(_ANY)
        if row is not None:
            self._unwrap(row)

    async def claim(self) -> None:
        """Let no process with another master key begin from now on.

        Before anything is sealed there is no key to tell it by.

        Raises:
            MasterKeyUnusable: this one is another than was here first.
        """
        await self.verify()
        await self.for_sealing([_PLACE])

    def known(self, subject: Subject) -> DataKey | None:
        """Return a subject's key if it is in memory."""
        key: DataKey | None = self._in_use.get(subject)
        return key

    async def for_sealing(self, subjects: Iterable[Subject]) -> dict[Subject, DataKey]:
        """Return the key in use of each subject, making those that are missing.

        Raises:
            MasterKeyUnusable
        """
        found: dict[Subject, DataKey] = {}
        missing: list[Subject] = []
        for subject in dict.fromkeys(subjects):
            known = self.known(subject)
            if known is None:
                missing.append(subject)
            else:
                found[subject] = known
        while missing:
            before = self._erasures
            for subject, key in await self._make(missing):
                found[subject] = key
                if self._erasures == before:
                    self._in_use.put(subject, key)
                    self._numbered.put(key.number, key)
            # Made by another process between our two looks: visible to the next one.
            missing = [subject for subject in missing if subject not in found]
        return found

    async def for_opening(self, numbers: Iterable[int]) -> dict[int, DataKey | None]:
        """Return the keys of these numbers, None for those that are destroyed.

        One that is damaged opens nothing: what it sealed is as damaged.

        Raises:
            MasterKeyUnusable
        """
        found: dict[int, DataKey | None] = {}
        missing: list[int] = []
        known: dict[int, DataKey] = {}
        for number in set(numbers):
            key = self._numbered.get(number, default=...)
            if key is ...:
                missing.append(number)
            elif key is None:
                found[number] = None
            else:
                known[number] = key
        if missing:
            rows = await self.pool.fetch(_FIND, missing)
            alive = {row["number"]: await self._opening(row) for row in rows}
            for number in missing:
                found[number] = alive.get(number)
                self._numbered.put(number, found[number])
        if known:
            rows = await self.pool.fetch(_ALIVE, list(known))
            there = {row["number"] for row in rows}
            for number, key in known.items():
                found[number] = key if number in there else None
        return found

    def forget(self, tenant: str, session: str | None) -> None:
        """Ask anew for the keys of what was erased: of a session, or of a workspace.

        To be called whenever the log says so, before anything is written there again.
        It may say so of long ago: keys made since are found again.
        """
        self._erasures += 1
        for subject, key in self._in_use.all():
            if subject.tenant == tenant and session in (None, subject.session):
                self._in_use.forget(subject)
                self._numbered.forget(key.number)

    async def numbers(self) -> dict[int, bool]:
        """Return the number of every key there ever was, and whether it is alive."""
        rows = await self.pool.fetch(_NUMBERS)
        return {row["number"]: row["alive"] for row in rows}

    async def destroy(
        self,
        tenant: str,
        *,
        session: str | None = None,
        subjects: Sequence[str] | None = None,
    ) -> int:
        """Destroy the keys of a workspace, or of a session or some subjects in it.

        What they sealed reads as erased from now on, everywhere. Returns how many
        there were.
        """
        rows = await self.pool.fetch(_DESTROY, tenant, session, subjects)
        self._erasures += 1
        for row in rows:
            self._in_use.forget(_subject(row))
            self._numbered.put(row["number"], None)
        return len(rows)

    async def _make(self, subjects: Sequence[Subject]) -> list[tuple[Subject, DataKey]]:
        numbers = [1 + secrets.randbelow(_LARGEST_NUMBER) for _ in subjects]
        wrapped = [
            self._master.wrap(secrets.token_bytes(KEY), subject, number)
            for subject, number in zip(subjects, numbers, strict=True)
        ]
        rows = await self.pool.fetch(
            _MAKE,
            [subject.tenant for subject in subjects],
            [subject.session or "" for subject in subjects],
            [subject.peer for subject in subjects],
            numbers,
            wrapped,
        )
        return [(_subject(row), self._unwrap(row)) for row in rows]

    async def _opening(self, row: asyncpg.Record) -> DataKey:
        """Unwrap a key; if it is damaged and not the master key another: a blank."""
        try:
            return self._unwrap(row)
        except MasterKeyUnusable:
            placed = await self.pool.fetchrow(_PLACED)
            if placed is None:
                raise
            self._unwrap(placed)
            return DataKey(row["number"], secrets.token_bytes(KEY))

    def _unwrap(self, row: asyncpg.Record) -> DataKey:
        number = row["number"]
        secret = self._master.unwrap(row["wrapped"], _subject(row), number)
        return DataKey(number, secret)


def _subject(row: asyncpg.Record) -> Subject:
    return Subject(row["tenant"], row["session"] or None, row["subject"])
