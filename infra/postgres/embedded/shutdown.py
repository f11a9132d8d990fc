"""Stop one postmaster within a bound, leaving no process of it behind."""

import asyncio
import signal
import time
from typing import Final

from infra.postgres.embedded.processes import RunningProcess

_STEP: Final = 0.02


async def shut_down(
    postmaster: RunningProcess,
    bound: float,
) -> None:
    """Ask for a fast shutdown, then an immediate one, then kill.

    Fast ends sessions and flushes everything; it gets three quarters of `bound`
    seconds. Immediate loses nothing that was acknowledged (the next start replays the
    log); it gets the rest.
    """
    quick = bound / 4
    for number, wait in ((signal.SIGINT, bound - quick), (signal.SIGQUIT, quick)):
        postmaster.send(number)
        if await _gone([postmaster], wait):
            return
    left = postmaster.children()
    for process in (postmaster, *left):
        process.send(signal.SIGKILL)
    await _gone([postmaster, *left], quick)


async def _gone(processes: list[RunningProcess], bound: float) -> bool:
    deadline = time.monotonic() + bound
    while any(process.alive for process in processes):
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_STEP)
    return True
