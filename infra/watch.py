"""Watches what should go on for ever: a server that lost a part must not go on."""

import asyncio
import traceback
from pathlib import Path
from typing import Any, NoReturn


class WorkerEnded(Exception):  # noqa: N818  says what happened
    """A part of the server ended; says which, of what and where, quoting nobody."""


class Watch:
    """The tasks that end only when they are cancelled, or broken."""

    def __init__(self) -> None:
        self._workers: set[asyncio.Task[Any]] = set()

    def add(self, worker: asyncio.Task[Any]) -> None:
        self._workers.add(worker)

    async def broken(self) -> NoReturn:
        """Return never.

        Raises:
            WorkerEnded: one of the workers ended, whatever the reason.
        """
        done, _ = await asyncio.wait(self._workers, return_when=asyncio.FIRST_COMPLETED)
        worker = done.pop()
        error = None if worker.cancelled() else worker.exception()
        reason = "" if error is None else f" by {_described(error)}"
        raise WorkerEnded(f"{worker.get_name()} ended{reason}: stopping") from None


def _described(error: BaseException) -> str:
    """Name an error and its place; its text may quote what somebody said."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = traceback.extract_tb(error.__traceback__)
    ours = [each for each in frames if "site-packages" not in each.filename]
    place = f" at {Path(ours[-1].filename).stem}:{ours[-1].lineno}" if ours else ""
    return type(error).__name__ + place
