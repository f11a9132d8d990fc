"""Runs the lanes of a stage side by side: in processes of their own if it pays."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from infra.fold_failure import Failure
from infra.postgres.log import PostgresLog
from infra.rebuild.lanes import run_lane
from infra.rebuild.plan import Plan
from infra.rebuild.report import RebuildFailed
from infra.rebuild.shadow import Lane, connect_shadow
from projections.projection import Projection

ALONE: Final = 10_000
"""Up to so many events a process takes longer to start than to fold them."""

# -P: a folder named "infra" where we were started is not ours.
_COMMAND: Final = (sys.executable, "-P", "-m", "infra.rebuild.worker")


_AGAIN: Final = "run it again, it goes on where it was"


class WorkerLost(Exception):  # noqa: N818  says what happened
    """A process that folded a lane ended before it was done."""


class Hands(msgspec.Struct, frozen=True):
    """What a process of its own needs: the data folder, and a database of keys.

    The master key goes to nobody: the process finds it as its parent did.
    """

    data: Path
    keys_dsn: str | None = None


class Task(msgspec.Struct, frozen=True):
    """A lane to fold, as it is told to a process."""

    dsn: str
    keys_dsn: str | None
    data: str
    lane: Lane
    plan: Plan


class Told(msgspec.Struct, frozen=True):
    """What a process tells: how far it is, why it failed, or that it is done."""

    position: int = 0
    failures: tuple[Failure, ...] = ()
    refused: str = ""
    done: bool = False


class Crew:
    """Folds lanes into the shadow.

    ``hands`` lets it start processes. A lane in one dies with this process: it ends
    when nobody holds its input open any more.
    """

    def __init__(
        self,
        dsn: str,
        log: PostgresLog,
        projections: Sequence[Projection],
        hands: Hands | None,
    ) -> None:
        self._dsn = dsn
        self._log = log
        self._projections = projections
        self._hands = hands

    async def run(
        self, plan: Plan, lanes: Sequence[Lane], told: Callable[[int], None]
    ) -> None:
        """Run lanes to the plan's end; ``told`` hears the position they are at.

        Raises:
            RebuildFailed: with the failures of all lanes.
            WorkerLost: a process was killed.
        """
        at = {lane.name: lane.position for lane in lanes}

        def hear(lane: Lane, position: int) -> None:
            at[lane.name] = position
            told(sum(at.values()) // len(at))

        waiting = [lane for lane in lanes if lane.position < plan.through]
        running = [
            asyncio.ensure_future(
                self._here(plan, lane, hear)
                if self._hands is None or lane.events <= ALONE
                else self._apart(plan, lane, hear)
            )
            for lane in waiting
        ]
        try:
            await _all_of(running)
        finally:
            for each in running:
                each.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _here(
        self, plan: Plan, lane: Lane, hear: Callable[[Lane, int], None]
    ) -> None:
        connection = await connect_shadow(self._dsn, plan)
        try:
            await run_lane(
                connection,
                self._log.slices,
                lane,
                [each for each in self._projections if each.name in lane.views],
                plan.through,
                lambda position: hear(lane, position),
            )
        finally:
            connection.terminate()

    async def _apart(
        self, plan: Plan, lane: Lane, hear: Callable[[Lane, int], None]
    ) -> None:
        hands = self._hands
        assert hands is not None  # noqa: S101  who has none folds here
        process = await asyncio.create_subprocess_exec(
            *_COMMAND, stdin=PIPE, stdout=PIPE, start_new_session=True
        )
        assert process.stdin is not None  # noqa: S101  both were asked for as pipes
        assert process.stdout is not None  # noqa: S101
        try:
            task = Task(self._dsn, hands.keys_dsn, str(hands.data), lane, plan)
            process.stdin.write(msgspec.json.encode(task) + b"\n")
            while line := await process.stdout.readline():
                heard = msgspec.json.decode(line, type=Told)
                if heard.failures:
                    raise RebuildFailed(heard.failures)
                if heard.refused:
                    raise WorkerLost(f"{heard.refused}: {_AGAIN}")
                if heard.done:
                    return
                hear(lane, heard.position)
            raise WorkerLost(f"a process of the rebuild was lost: {_AGAIN}")
        finally:
            process.stdin.close()
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _all_of(running: Sequence["asyncio.Future[None]"]) -> None:
    """Wait for all; failures of several lanes are one list."""
    outcomes = await asyncio.gather(*running, return_exceptions=True)
    errors = [each for each in outcomes if each is not None]
    failures = [
        failure
        for each in errors
        if isinstance(each, RebuildFailed)
        for failure in each.failures
    ]
    if failures:
        raise RebuildFailed(tuple(sorted(failures, key=lambda each: each.position)))
    if errors:
        raise errors[0]
