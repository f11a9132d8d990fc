"""The topic as views are folded from it: in order, opened, without an end."""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Final

from domain.recorded import Recorded
from infra.codec.errors import Unreadable
from infra.kafka.client import check_client
from infra.kafka.generations import Generations
from infra.kafka.missing import LogRows, Missing, Reason
from infra.kafka.resequenced import UNREAD, Resequenced
from infra.kafka.trouble import Trouble
from infra.postgres.connection import close_pool, open_pool, tirelessly
from infra.postgres.log import PostgresLog
from infra.postgres.role import usable_role
from infra.postgres.stored_row import StoredRow
from infra.settings import Settings

_LOG: Final = logging.getLogger("palimpsest.topic")
_NAME: Final = "palimpsest-topic"


class RecordedTopic:
    """Subscriptions to the log through its topic; ``subscription`` is ``Subscribe``."""

    def __init__(
        self,
        settings: Settings,
        generations: Generations,
        log: PostgresLog,
        rows: LogRows,
        count: Callable[[str, int], None],
    ) -> None:
        self._settings = settings
        self._generations = generations
        self._log = log
        self._rows = rows
        self._missing = Missing(rows, count)
        self.away = Trouble(_LOG, UNREAD)

    async def subscription(
        self, after: int
    ) -> AsyncGenerator[Sequence[Recorded], None]:
        """Yield what follows a position, in batches.

        Raises:
            Unreadable: the next event is damaged in the log itself.
        """
        rows = Resequenced(
            *(self._settings, self._generations, self._rows, after),
            missing=self._missing,
            away=self.away,
        )
        async with aclosing(aiter(rows)) as batches:
            async for batch in batches:
                left = batch
                while left:
                    opened = await self._open(left)
                    if opened:
                        yield opened
                    left = left[len(opened) :]

    async def _open(self, batch: Sequence[StoredRow]) -> list[Recorded]:
        """Open what the log has, too, or the first of it.

        There is a copy nobody else could write to.
        """
        there = await tirelessly(self._rows.ids, [row.position for row in batch])
        if any(there.get(row.position) != row.id for row in batch):
            return await self._open_from_log(batch, "other")
        try:
            return await tirelessly(self._log.open_copies, batch)
        except Unreadable:
            return await self._open_from_log(batch, "damaged")

    async def _open_from_log(
        self, batch: Sequence[StoredRow], why: Reason
    ) -> list[Recorded]:
        wanted = range(batch[0].position, batch[-1].position + 1)
        rows = await self._missing.read(wanted, why)
        return await tirelessly(self._log.open_rows, rows)


async def open_recorded_topic(
    dsn: str,
    log: PostgresLog,
    settings: Settings,
    count: Callable[[str, int], None],
    running: AsyncExitStack,
) -> RecordedTopic:
    """Open what is needed until the stack ends; ``count`` is told what was missing.

    Raises:
        NoBrokers, CredentialsUnusable
    """
    check_client(settings)
    role = await usable_role(dsn, "work")
    pool = await open_pool(dsn, role=role, name=_NAME, size=1)
    running.push_async_callback(close_pool, pool)
    rows = log.rows()
    running.callback(rows.close)
    return RecordedTopic(settings, Generations(pool, settings), log, rows, count)
