"""Closes what is taken back: nothing built on it at the same moment survives it."""

from datetime import timedelta
from typing import Final

from commands.closing import close_retraction, close_undone
from commands.decide import Decide
from commands.ports import Overloaded
from commands.reach import Reach
from domain.event import Event
from domain.retraction import RetractionRecorded, RetractionUndone
from processors.following import cause_of
from processors.processor import Batch, Done, Outcome, Retry

_SOON: Final = timedelta(seconds=1)


class CloseRetractions:
    """Looks at each unit once more, when the views know all there was at its moment.

    What a unit takes is found in views and decided upon: what another command built on
    it in between is found here. What an undone one brought back while another took what
    it rests on falls with that. It also lets this process know what another decided, as
    the command line does beside a running server.
    """

    name = "close_retractions"
    handles: tuple[type[Event], ...] = (RetractionRecorded, RetractionUndone)

    def __init__(self, decide: Decide, reach: Reach) -> None:
        self._decide = decide
        self._reach = reach

    async def __call__(self, batch: Batch) -> Outcome:
        """Close the units of a batch."""
        for recorded in batch.events:
            cause = cause_of(self.name, recorded)
            try:
                match recorded.event:
                    case RetractionRecorded() as event:
                        named = (event.workspace, event.unit)
                        await close_retraction(self._decide, self._reach, named, cause)
                    case RetractionUndone() as event:
                        named = (event.workspace, event.unit)
                        await close_undone(self._decide, self._reach, named, cause)
                    case _:
                        continue
            except Overloaded:
                return Retry(_SOON, "the views are behind")
        return Done()
