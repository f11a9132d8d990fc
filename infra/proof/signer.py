"""Signs, now and then, where the log ends: one row read, one written."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Final

from infra.postgres.connection import FAILED
from infra.postgres.signed_checkpoints import SignedCheckpoints
from infra.proof.checkpoint import SignedCheckpoint, sign_ending
from infra.proof.signing_key import SigningKey
from infra.stopping import stop

_LOG = logging.getLogger("palimpsest.proof")

_AT_A_STOP: Final = 1.0
"""Seconds the last checkpoint may take: a stop waits for no database."""


class HistoryChanged(Exception):  # noqa: N818  says what was found
    """The log no longer holds what was signed: nothing is signed on top of that."""


class Signer:
    """Signs for one key; several at once, of one key or of many, do no harm."""

    def __init__(
        self,
        checkpoints: SignedCheckpoints,
        key: SigningKey,
        clock: Callable[[], datetime],
    ) -> None:
        self._checkpoints = checkpoints
        self._key = key
        self._clock = clock
        self._last: SignedCheckpoint | None = None

    async def sign(self) -> SignedCheckpoint | None:
        """Sign the log's end if it moved on; return the newest, None of an empty log.

        Raises:
            HistoryChanged: what this key signed last is not in the log any more, or
                the newest commit is not whole.
        """
        last = self._last or await self._checkpoints.newest(self._key.public_key)
        if last is not None:
            stands = await self._checkpoints.ending(last.position)
            if stands != last.ending:
                raise HistoryChanged(
                    f"position {last.position} was signed as event "
                    f"{last.ending.event} and is another now: run palimpsest verify"
                )
        self._last = last
        ending = await self._checkpoints.ending()
        if ending is None or (last is not None and ending == last.ending):
            return last
        if not ending.link:
            raise HistoryChanged(
                f"position {ending.position} ends no commit: run palimpsest verify"
            )
        made = sign_ending(ending, self._clock(), self._key)
        await self._checkpoints.put(made)
        self._last = made
        return made

    def start(self, seconds: float, running: AsyncExitStack) -> asyncio.Task[None]:
        """Sign every so many seconds, in a task, until the stack ends."""
        task = asyncio.create_task(self.run(seconds), name="the signer of checkpoints")
        running.push_async_callback(stop, task)
        return task

    async def run(self, seconds: float) -> None:
        """Sign at once and every so many seconds; cancel to stop.

        Cancelled, it signs once more, if the database answers within a second.
        """
        try:
            while True:
                await self._try()
                await asyncio.sleep(seconds)
        finally:
            try:
                async with asyncio.timeout(_AT_A_STOP):
                    await self._try()
            except TimeoutError:
                _LOG.warning("no checkpoint at the stop: the database is slow")

    async def _try(self) -> None:
        try:
            await self.sign()
        except HistoryChanged as error:
            _LOG.error("no checkpoint: %s", error)
        except FAILED as error:
            _LOG.warning("no checkpoint: %s", type(error).__name__)
