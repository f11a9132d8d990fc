"""How often, and how long apart, it is decided again after a conflict."""

import asyncio
import random
from typing import Final

from commands.ports import WrongExpectedVersion

ATTEMPTS: Final = 12


async def rest(attempt: int) -> None:
    """Wait a moment after an attempt, counted from 0.

    Raises:
        WrongExpectedVersion: it was the last.
    """
    if attempt == ATTEMPTS - 1:
        raise WrongExpectedVersion("Appends on the same streams did not cease")
    await asyncio.sleep(random.uniform(0, 0.002 * 2**attempt))  # noqa: S311  jitter, not a secret
