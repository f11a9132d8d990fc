"""Erases a deleted session once its grace is over (HC E21, RS 1.8)."""

from datetime import timedelta
from typing import Final

from commands.decide import Decide
from commands.erasure import begin_session_erasure, erase_session, retract_bereft
from commands.parents import watch_named_session
from commands.ports import Clock
from domain.erasure import SessionDeleted
from domain.event import Event
from domain.question import QuestionAnswered
from domain.recorded import Recorded
from processors.following import cause_of
from processors.holdings import Holdings
from processors.processor import Batch, Done, Outcome, Retry

_SOON: Final = timedelta(seconds=1)


class EraseSession:
    """Takes out of every store what a session held, then frees its id.

    The deadline is in the event, so it survives whatever happens to the process.
    Freeing the id is last, in one append with the end of all streams of the session:
    whatever broke off before is done again. What cannot be brought back is taken only
    while the log says that it is to go: two processes may be at it. An answer that was
    still being given, from what is erased meanwhile, is made unreadable as it comes.
    """

    name = "erase_session"
    handles: tuple[type[Event], ...] = (SessionDeleted, QuestionAnswered)

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
            match recorded.event:
                case SessionDeleted() as event:
                    outcome = await self._due(recorded, event)
                case QuestionAnswered() as event:
                    outcome = await self._came_late(recorded, event)
                case _:
                    continue
            if outcome is not None:
                return outcome
        return Done()

    async def _due(self, recorded: Recorded, event: SessionDeleted) -> Outcome | None:
        named = (event.workspace, event.session)
        if not await self._is_to_go(named, recorded):
            return None
        early = event.purge_at - self._clock()
        if early.total_seconds() > 0:
            return Retry(early, "its grace is not over")
        await self._erase(named, recorded)
        return None

    async def _is_to_go(self, named: tuple[str, str], recorded: Recorded) -> bool:
        """Tell if it is not erased yet, by any process: its id may be in use again."""
        state = await self._decide.look_anew(
            watch_named_session(*named, despite_damage=True)
        )
        return state.deleted and recorded.position > state.erased_through

    async def _came_late(
        self, recorded: Recorded, event: QuestionAnswered
    ) -> Outcome | None:
        """Forget an answer from what is erased; wait while that is being decided."""
        sessions = await self._holdings.quoted(recorded.position, event)
        if sessions is None:
            await self._holdings.forget_answer(event.workspace, event.id)
            return None
        for each in sessions:
            state = await self._decide.look(
                watch_named_session(event.workspace, each, despite_damage=True)
            )
            if state.deleted and not state.exists:
                return Retry(_SOON, "what it quotes is being erased")
        return None

    async def _erase(self, named: tuple[str, str], recorded: Recorded) -> None:
        cause = cause_of(self.name, recorded)
        await begin_session_erasure(self._decide, named, cause)
        bereft = await self._holdings.bereft(*named)
        ids = [each.id for each in bereft]
        # Whoever took this over from us may be done with it by now.
        if not await self._is_to_go(named, recorded):
            return
        await self._holdings.forget_vectors(*named, ids)
        await retract_bereft(self._decide, named[0], bereft, cause)
        await self._holdings.forget_answers(*named)
        if not await self._is_to_go(named, recorded):
            return
        await self._holdings.destroy_keys(*named)
        await self._holdings.unpark(*named)
        through = await self._holdings.head()
        streams = await self._holdings.streams_of_session(*named)
        at = (self._clock(), through)
        await erase_session(self._decide, named, streams, at, cause)
