"""A process that folds one lane of a rebuild, told by stdin, telling on stdout."""

import asyncio
import os
import sys
import threading
import traceback
from pathlib import Path

import msgspec
import uvloop

from infra.key_source import master_key_of
from infra.postgres.log import LogSettings, PostgresLog
from infra.rebuild.crew import Task, Told
from infra.rebuild.lanes import run_lane
from infra.rebuild.report import RebuildFailed
from infra.rebuild.shadow import connect_shadow
from infra.settings import read_settings
from projections.registry import LAGGING, PROMPT


def main() -> None:
    """Read the task, fold, and end; at once when whoever started us is gone."""
    task = msgspec.json.decode(sys.stdin.buffer.readline(), type=Task)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_fold(task))


async def _fold(task: Task) -> None:
    key = master_key_of(Path(task.data), read_settings())
    settings = LogSettings(
        keys_dsn=task.keys_dsn, readers=1, key_readers=1, announces=False
    )
    async with PostgresLog.open(task.dsn, key, settings) as log:
        connection = await connect_shadow(task.dsn, task.plan)
        try:
            await run_lane(
                connection,
                log.slices,
                task.lane,
                [e for e in (*PROMPT, *LAGGING) if e.name in task.lane.views],
                task.plan.through,
                lambda position: _tell(Told(position=position)),
            )
            _tell(Told(done=True))
        except RebuildFailed as error:
            _tell(Told(failures=error.failures))
        except Exception as error:  # noqa: BLE001  a traceback may quote values
            _tell(Told(refused=_named(error)))
        finally:
            connection.terminate()


def _named(error: Exception) -> str:
    """Name an error and where it was raised, without a word of what was folded."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {frame.name}, line {frame.lineno}"


def _tell(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
