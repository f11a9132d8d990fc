"""The group-commit appender: what queues while one commit runs goes into the next.

One call of ``log.append`` carries up to 512 requests under one lock and one fsync
(event-store.md 3a, 3b). A conflict fails only its own request and those decided
upon it; a request the database cannot take fails alone; a lost connection is
repaired and the outcome found out before anything is tried again.
"""

import asyncio
from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import Any, Final
from uuid import UUID

import asyncpg

from commands.ports import Appended, AppendRequest, EventStoreError
from infra.master_key import MasterKeyUnusable
from infra.postgres.append_call import (
    APPENDED,
    CONFLICT,
    DONE_BEFORE,
    OTHER_HASH,
    arguments_of,
)
from infra.postgres.commit import Commit, Committed, Follows
from infra.postgres.connection import is_lost, patiently
from infra.postgres.data_keys import DataKeys
from infra.postgres.line import Line
from infra.postgres.link import Link
from infra.postgres.mapper import Draft, StructMapper
from infra.postgres.outcomes import Outcomes
from infra.postgres.pending import Pending, pend
from infra.postgres.reader import Reader
from infra.postgres.tail import Tail

LOSSES: Final = 5
"""Connections that may die under one request before it is given up."""

CLOSING: Final = 6.0
"""Seconds that closing may take when the database is gone."""

REFUSED: Final = (asyncpg.PostgresError, asyncpg.DataError)
"""What says that nothing was written; after anything else nobody knows."""


class Appender:
    """Appends for one process, between ``start`` and ``close``."""

    def __init__(
        self,
        *,
        link: Link,
        mapper: StructMapper,
        keys: DataKeys,
        reader: Reader,
        line: Line,
        tail: Tail,
    ) -> None:
        self._link = link
        self._mapper = mapper
        self._keys = keys
        self._reader = reader
        self._line = line
        self._tail = tail
        self.outcomes = Outcomes(line, tail, reader)
        self._lane: asyncio.Task[None] | None = None
        self._closed = False
        self._told: tuple[Committed, ...] = ()
        self._follows: Follows | None = None

    def tell(self, committed: Committed) -> None:
        """Tell somebody of every commit from now on."""
        self._told = (*self._told, committed)

    def follow(self, follows: Follows) -> None:
        """Let somebody follow every append from now on."""
        self._follows = follows

    def start(self) -> asyncio.Task[None]:
        """Begin; the task returned ends after ``close``, or broken."""
        self._lane = asyncio.create_task(self._run(), name="the log's appender")
        return self._lane

    async def close(self) -> None:
        """Refuse new requests, finish those under way, and stop.

        What is not finished after ``CLOSING`` seconds, for want of a database, fails.
        """
        self._closed = True
        self._line.woken.set()
        if self._lane is not None:
            done, _ = await asyncio.wait([self._lane], timeout=CLOSING)
            if not done:
                self._lane.cancel()
                await asyncio.wait([self._lane])
        await self.outcomes.finish()
        await self._link.close()

    def submit(self, request: AppendRequest) -> asyncio.Future[Appended]:
        """Enqueue; the future holds the outcome once it is durable.

        Raises:
            Overloaded: nothing was enqueued.
            ValueError: the request can never be appended.
        """
        if self._closed:
            raise EventStoreError("The log is closed")
        if self._follows is None:
            return self._enqueue(request)
        followed, ended = self._follows(request)
        try:
            outcome = self._enqueue(followed)
        except BaseException:
            ended(None)
            raise
        outcome.add_done_callback(lambda done: ended(_appended_by(done)))
        return outcome

    def _enqueue(self, request: AppendRequest) -> asyncio.Future[Appended]:
        pending = pend(request, self._mapper)
        self._line.admit(pending)
        self._seal_early(pending)
        if self.outcomes.joins(pending):
            self._line.join(pending)
        return pending.outcome

    async def _run(self) -> None:
        batch: list[Pending] = []
        try:
            while True:
                batch = self._line.take()
                if batch:
                    await self._commit(batch)
                elif self._closed:
                    return
                else:
                    self._line.woken.clear()
                    await self._line.woken.wait()
        finally:
            # Only when something unforeseen stopped the lane is anyone left.
            self._closed = True
            for pending in (*batch, *self._line.drain()):
                if not pending.outcome.done():
                    self.outcomes.fail(pending, EventStoreError("The log stopped"))

    async def _commit(self, batch: Sequence[Pending]) -> None:
        head, begun = self._tail.head, perf_counter()
        keyless = [
            draft
            for pending in batch
            for drafts in pending.drafts
            for draft in drafts
            if draft.stored is None
        ]
        try:
            if keyless:
                await patiently(self._give_keys, keyless)
        except (EventStoreError, MasterKeyUnusable) as error:
            self._give_up(batch, error)
            return
        try:
            rows = await self._link.call(arguments_of(batch, self._mapper))
        except Exception as error:  # noqa: BLE001  no append may stop those after it
            if isinstance(error, REFUSED) and not is_lost(error):
                self._give_up(batch, error)
            else:
                await self._find_out(batch, head, begun)
            return
        self._settle(batch, rows, begun)

    def _settle(
        self, batch: Sequence[Pending], rows: Sequence[Any], begun: float
    ) -> None:
        news = self.outcomes.settle(batch, rows)
        if news and self._told:
            commit = Commit(news, len(batch), perf_counter() - begun)
            for committed in self._told:
                committed(commit)

    def _seal_early(self, pending: Pending) -> None:
        """Seal what can be sealed while the lane waits for Postgres."""
        for drafts in pending.drafts:
            for draft in drafts:
                if draft.subject is not None:
                    draft.key = self._keys.known(draft.subject)
                    if draft.key is None:
                        continue
                draft.stored = self._mapper.to_stored_event(draft)

    async def _give_keys(self, keyless: Sequence[Draft]) -> None:
        whose = {draft.subject for draft in keyless if draft.subject is not None}
        keys = await self._keys.for_sealing(whose)
        for draft in keyless:
            if draft.subject is not None:
                draft.key = keys[draft.subject]

    def _give_up(self, batch: Sequence[Pending], error: Exception) -> None:
        """Nothing was written: find out who is to blame, one by one; fail that one."""
        if len(batch) > 1:
            self._line.rejoin(batch, alone=True)
            return
        failure = EventStoreError("The log cannot take this request")
        failure.__cause__ = error
        self.outcomes.fail(batch[0], failure)

    async def _find_out(
        self, batch: Sequence[Pending], head: int, begun: float
    ) -> None:
        """The connection was lost: deliver what was written, else try again."""
        firsts = [event for pending in batch for event in pending.firsts]
        try:
            written = await self._link.written(head, firsts)
            rows = await patiently(self._verdicts, batch, written) if written else []
        except EventStoreError as error:
            for pending in batch:
                self.outcomes.fail(pending, error)
            return
        if written:
            self._settle(batch, rows, begun)
            return
        for pending in batch:
            pending.losses += 1
        lasting = [pending for pending in batch if pending.losses < LOSSES]
        self._line.rejoin(lasting, alone=len(batch) == 1)
        for pending in batch:
            if pending.losses >= LOSSES:
                again = EventStoreError("The database is lost again and again")
                self.outcomes.fail(pending, again)

    async def _verdicts(
        self, batch: Iterable[Pending], written: dict[UUID, Any]
    ) -> list[tuple[Any, ...]]:
        """Say of a batch known to be committed what the lost answer said."""
        rows: list[tuple[Any, ...]] = []
        for pending in batch:
            if pending.firsts[0] in written:
                rows += [
                    _appended(written[drafts[0].id] if drafts else None)
                    for drafts in pending.drafts
                ]
            else:
                rows += [await self._refusal(pending)] * len(pending.names)
        return rows

    async def _refusal(self, pending: Pending) -> tuple[Any, ...]:
        command = pending.request.command
        if command is not None:
            seen = await self._reader.find_command(pending.request.tenant, command.id)
            if seen is not None:
                same = seen.request_hash == command.request_hash
                status = DONE_BEFORE if same else OTHER_HASH
                return (status, 0, seen.appended.first, seen.appended.last, None)
        return (CONFLICT, 0, None, None, None)


def _appended_by(done: asyncio.Future[Appended]) -> Appended | None:
    failed = done.cancelled() or done.exception() is not None
    return None if failed else done.result()


def _appended(row: Any) -> tuple[Any, ...]:
    if row is None:
        return (APPENDED, 0, None, None, None)
    return (APPENDED, row["version"] - 1, row["position"], None, row["recorded_at"])
