"""Keeps a group of views folded from the log, and tells who waits how far it is."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Sequence
from time import monotonic, time_ns

import asyncpg
from tenacity import AsyncRetrying, RetryCallState, wait_random_exponential

from commands.ports import EventStoreError
from domain.event import Event
from domain.recorded import Recorded
from infra.fold_failure import Failure, FoldFailed, failed_at, stopped_at
from infra.folding_turn import beating, until_ours
from infra.milestones import Milestones
from infra.postgres.checkpoints import (
    Checkpoint,
    CheckpointMoved,
    FollowedBehind,
    codes_of,
    load_checkpoints,
    move_checkpoints,
    verify_ahead,
    verify_checkpoints,
)
from infra.postgres.connection import is_lost
from infra.postgres.views import connect_views
from infra.rebuild.abandoned import ERASING
from infra.stopping import stop
from infra.telemetry.observers import Fold, Folded
from infra.telemetry.said_once import NEWS
from infra.traffic import GiveWay, at_once
from infra.upkeep import Upkeep
from projections.ports import LogReader
from projections.projection import Projection

_LOG = logging.getLogger("palimpsest.projector")

Subscribe = Callable[[int], AsyncIterable[Sequence[Recorded]]]
"""From a position to the batches after it: in order, without gaps, without end."""


class Projector:
    """Folds one group of projections, a batch of events in one transaction.

    It takes whatever is there, so one event is shown at once and a backlog goes in
    large batches. Rows and checkpoints commit together, and a checkpoint is only
    moved from where it was found: after a lost connection or beside a second runner
    nothing is lost and nothing counts twice. A projection that fails stops the group
    (views that disagree are worse than views that lag), is logged by type and
    position, shown in ``failed``, and tried again for ever.

    ``follows`` is the group whose tables this one reads: it never gets ahead of it,
    also not when a crash of the database takes back what was not yet on disk.
    ``leads`` is whether it folds, and waits for no other process (``announce_as``).
    ``infra/postgres/views.py`` makes its tables. It fulfils ``commands.ports.Views``.
    """

    def __init__(
        self,
        dsn: str,
        log: LogReader,
        subscribe: Subscribe,
        projections: Sequence[Projection],
        *,
        follows: "Projector | None" = None,
        give_way: GiveWay = at_once,
        longest_wait: float = 5.0,
    ) -> None:
        self._dsn = dsn
        self._log = log
        self._subscribe = subscribe
        self._projections = tuple(projections)
        self._follows = follows
        self._give_way = give_way
        self._longest_wait = longest_wait
        self._told_as: str | None = None
        self._folded: tuple[Folded, ...] = ()
        self._interested: dict[type[Event], list[Projection]] = {}
        self._at: dict[str, Checkpoint] = {}
        self._codes: dict[str, str] = {}
        self._milestones = Milestones()
        self._upkeep = Upkeep(dsn)
        self._task: asyncio.Task[None] | None = None
        self.position = 0
        self.leads = False
        self.failed: Failure | None = None

    @property
    def names(self) -> list[str]:
        """The names of the group's projections."""
        return [each.name for each in self._projections]

    def tell(self, folded: Sequence[Folded]) -> None:
        """Tell somebody of everything folded from now on."""
        self._folded = (*self._folded, *folded)

    def announce_as(self, name: str) -> None:
        """Take turns under this name with other processes, and let them hear how far.

        Without a name whoever moves the checkpoints first is followed by the others.
        """
        self._told_as = name

    async def start(self) -> None:
        """Check that views and log belong together, then fold until closed.

        Raises:
            LogDiverged: they do not; rebuild the views.
            LookupError: a projection's tables were never made.
            OSError, asyncpg.PostgresError: the database cannot be reached.
        """
        connection = await self._open()
        self._upkeep.add(0, erased=True)
        self._task = asyncio.create_task(self._run(connection), name="projector")

    async def close(self) -> None:
        """Stop after the transaction under way is committed or rolled back."""
        if self._task is not None:
            await stop(self._task)
        await self._upkeep.close()

    async def wait_for(self, position: int, timeout: float) -> bool:  # noqa: ASYNC109  the bound is the point
        """Return True once every view of the group has passed the position.

        False at the bound (seconds), or at once while the group cannot go on.
        """
        if self.position >= position:
            return True
        if self.failed is not None:
            return False
        return await self._milestones.wait(position, timeout)

    async def passed(self, position: int) -> None:
        """Wait, however long it takes, until the group has passed the position."""
        if self.position < position:
            await self._milestones.wait(position)

    async def _run(self, connection: asyncpg.Connection) -> None:
        """Follow the log for ever, again from the checkpoint after every error.

        Each turn starts with patience anew if the one before came further.
        """
        ready: asyncpg.Connection | None = connection
        while True:
            again = AsyncRetrying(
                wait=wait_random_exponential(multiplier=0.05, max=self._longest_wait),
                before_sleep=self._note,
            )
            async for attempt in again:
                with attempt:
                    reached = self.position
                    try:
                        opened, ready = ready or await self._open(), None
                        await self._follow(opened)
                    except Exception as error:
                        if self.position == reached:
                            raise
                        self._report(error)

    async def _open(self) -> asyncpg.Connection:
        """Connect and take up where the checkpoints say."""
        connection = await connect_views(self._dsn)
        try:
            self._codes = await codes_of(connection, self.names, self._codes)
            self._at = await load_checkpoints(connection, self._projections)
            await verify_checkpoints(self._log, self._at)
        except BaseException:
            connection.terminate()
            raise
        if self.failed is not None and self.failed.position == 0:
            self.failed = None
        self._advance()
        return connection

    async def _take_turn(self, connection: asyncpg.Connection) -> None:
        """Wait until no other process folds these, knowing how far they are."""
        name = self._told_as
        if name and await until_ours(connection, name, self.names, self._reach):
            self._at = await load_checkpoints(connection, self._projections)
            self._advance()

    def _reach(self, position: int) -> None:
        if position > self.position:
            self.position = position
            self._milestones.reach(position)

    async def _follow(self, connection: asyncpg.Connection) -> None:
        batches: object = None
        try:
            await self._take_turn(connection)
            self.leads = True
            batches = followed = aiter(self._subscribe(self.position))
            async with beating(connection) as using:
                async for batch in followed:
                    if self._follows is not None:
                        await self._follows.passed(batch[-1].position)
                    begin, begun = monotonic(), time_ns()
                    async with using:
                        await self._fold(connection, batch)
                    self.failed = None
                    for folded in self._folded:
                        folded(Fold(batch, begun, time_ns()))
                    if not self._milestones.awaited:  # a request waits for this work
                        await self._give_way(monotonic() - begin)
        finally:
            self.leads = False
            connection.terminate()
            if isinstance(batches, AsyncGenerator):
                await batches.aclose()

    async def _fold(
        self, connection: asyncpg.Connection, batch: Sequence[Recorded]
    ) -> None:
        """Fold a batch, or find the one event of it that cannot be folded."""
        try:
            await self._commit(connection, batch)
        except (CheckpointMoved, FollowedBehind, FoldFailed):
            raise
        except Exception as error:
            if connection.is_closed() or is_lost(error):
                raise
            if len(batch) == 1:
                raise failed_at(error, batch[0]) from error
            middle = len(batch) // 2
            await self._fold(connection, batch[:middle])
            await self._fold(connection, batch[middle:])

    async def _commit(
        self, connection: asyncpg.Connection, batch: Sequence[Recorded]
    ) -> None:
        last = Checkpoint(batch[-1].position, batch[-1].id)
        behind = {
            name: at.position
            for name, at in self._at.items()
            if at.position < last.position
        }
        shares = self._share_out(batch)
        async with connection.transaction():
            if self._follows is not None:
                await verify_ahead(connection, self._follows.names, last.position)
            for projection in self._projections:
                share = shares.get(projection.name)
                if share and projection.name in behind:
                    try:
                        await projection.apply(connection, share)
                    except Exception as error:
                        error.add_note(projection.name)
                        raise
            await move_checkpoints(
                connection, behind, last, self._codes, told_as=self._told_as
            )
        self._at.update(dict.fromkeys(behind, last))
        erased = any(type(each.event) in ERASING for each in batch)
        self._upkeep.add(len(batch), erased=erased)
        self._advance()

    def _share_out(self, batch: Sequence[Recorded]) -> dict[str, list[Recorded]]:
        """Give each projection the events it handles and has not folded yet."""
        shares: dict[str, list[Recorded]] = {}
        for recorded in batch:
            for projection in self._those_who_handle(type(recorded.event)):
                if self._at[projection.name].position < recorded.position:
                    shares.setdefault(projection.name, []).append(recorded)
        return shares

    def _those_who_handle(self, event: type[Event]) -> list[Projection]:
        known = self._interested.get(event)
        if known is None:
            known = [each for each in self._projections if event in each.handles]
            self._interested[event] = known
        return known

    def _advance(self) -> None:
        folded = [at.position for at in self._at.values()]
        self.position = min(folded, default=self.position)
        self._milestones.reach(self.position)

    def _note(self, state: RetryCallState) -> None:
        if state.outcome is not None and (error := state.outcome.exception()):
            self._report(error)

    def _report(self, error: BaseException) -> None:
        """Say what happened, without a word of what anyone said."""
        if (stopped := stopped_at(error)) is not None:
            if self.failed != stopped.failure:
                _LOG.error("The views stopped: %s", stopped, extra=NEWS)
            self.failed = stopped.failure
            return
        name = type(error).__name__
        if isinstance(error, CheckpointMoved):
            _LOG.warning("Another runner folds the same views; reading them again")
        elif isinstance(error, FollowedBehind):
            _LOG.warning("The views followed were set back by a crash; waiting")
        elif is_lost(error) or isinstance(error, EventStoreError):
            _LOG.warning("The views lost the database (%s); trying again", name)
        else:
            _LOG.error("The views stopped (%s); trying again", name)
            self.failed = Failure("", 0, "", name)
