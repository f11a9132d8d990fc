"""Erases a deleted session once its grace is over (HC E21, RS 1.8)."""

from typing import cast

from commands.decide import Decide
from commands.erasure import begin_session_erasure, erase_session, retract_bereft
from commands.parents import watch_named_session
from commands.ports import Clock
from domain.erasure import SessionDeleted
from domain.event import Event
from domain.recorded import Recorded
from processors.following import cause_of
from processors.holdings import Holdings
from processors.processor import Batch, Done, Outcome, Retry


class EraseSession:
    """Takes out of every store what a session held, then frees its id.

    The deadline is in the event, so it survives whatever happens to the process.
    Freeing the id is last, in one append with the end of all streams of the session:
    whatever broke off before is done again.
    """

    name = "erase_session"
    handles: tuple[type[Event], ...] = (SessionDeleted,)

    def __init__(self, decide: Decide, holdings: Holdings, clock: Clock) -> None:
        self._decide = decide
        self._holdings = holdings
        self._clock = clock

    async def __call__(self, batch: Batch) -> Outcome:
        """Erase, or say when.

        Raises:
            Unavailable, Overloaded: it may succeed later.
        """
        for recorded in batch.events:
            event = cast("SessionDeleted", recorded.event)
            named = (event.workspace, event.session)
            state = await self._decide.look(watch_named_session(*named))
            if not state.deleted or recorded.position <= state.erased_through:
                continue
            early = event.purge_at - self._clock()
            if early.total_seconds() > 0:
                return Retry(early, "its grace is not over")
            await self._erase(named, recorded)
        return Done()

    async def _erase(self, named: tuple[str, str], recorded: Recorded) -> None:
        cause = cause_of(self.name, recorded)
        await begin_session_erasure(self._decide, named, cause)
        bereft = await self._holdings.bereft(*named)
        ids = [each.id for each in bereft]
        await self._holdings.forget_vectors(*named, ids)
        await retract_bereft(self._decide, named[0], bereft, cause)
        await self._holdings.forget_answers(*named)
        await self._holdings.destroy_keys(*named)
        await self._holdings.unpark(*named)
        through = await self._holdings.head()
        streams = await self._holdings.streams_of_session(*named)
        at = (self._clock(), through)
        await erase_session(self._decide, named, streams, at, cause)
