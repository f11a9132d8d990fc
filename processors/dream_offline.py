"""Ends dreams honestly where no model dreams: nothing is concluded, and it says so."""

from typing import cast

from commands.decide import Decide
from commands.dream import CompleteDream, complete_dream
from domain.dream import DreamCompleted, DreamScheduled
from domain.event import Engine, Event
from domain.recorded import Recorded
from processors.following import cause_of, name_of
from processors.processor import Batch, Done, Outcome


class DreamOffline:
    """The offline engine extracts what is said; it draws nothing from that.

    So a dream ends as soon as it is scheduled, with the reason why it is empty.
    """

    name = "dream"
    handles: tuple[type[Event], ...] = (DreamScheduled,)

    def __init__(self, decide: Decide, engine: Engine, *, generation: int = 1) -> None:
        self._decide = decide
        self._engine = engine
        self._generation = generation

    async def __call__(self, batch: Batch) -> Outcome:
        """End each dream of the batch.

        Raises:
            Overloaded: it may succeed later.
        """
        for recorded in batch.events:
            await complete_dream(self._decide, self._ended(recorded))
        return Done()

    def _ended(self, recorded: Recorded) -> CompleteDream:
        scheduled = cast("DreamScheduled", recorded.event)
        return CompleteDream(
            name=name_of(self.name, self._generation, [recorded]),
            position=recorded.position,
            event=DreamCompleted(
                workspace=scheduled.workspace,
                id=scheduled.id,
                observer=scheduled.observer,
                observed=scheduled.observed,
                kind=scheduled.kind,
                engine=self._engine,
                reason="engine-does-not-dream",
            ),
            cause=cause_of(self.name, recorded),
        )
