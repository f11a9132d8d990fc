"""Closes scopes: nothing that was inferred from a session outlives its leaving."""

from datetime import timedelta
from typing import Final, cast

from commands.decide import Decide
from commands.leaving import retract_unheld
from commands.ports import Overloaded
from commands.reach import Reach
from domain.event import Event
from domain.scope import SessionRemovedFromScope, peer_of_scope
from processors.following import cause_of
from processors.processor import Batch, Done, Outcome, Retry

_SOON: Final = timedelta(seconds=1)


class CloseScopes:
    """Retracts what a scope inferred from what it holds no longer (RS 2.8).

    What was said leaves a scope with its session, in the views and at once; what a
    dream made of it belongs to the scope and to no session.
    """

    name = "close_scopes"
    handles: tuple[type[Event], ...] = (SessionRemovedFromScope,)

    def __init__(self, decide: Decide, reach: Reach) -> None:
        self._decide = decide
        self._reach = reach

    async def __call__(self, batch: Batch) -> Outcome:
        """Close the scopes that sessions of a batch left."""
        for recorded in batch.events:
            event = cast("SessionRemovedFromScope", recorded.event)
            peer = peer_of_scope(event.scope)
            try:
                unheld = await self._reach.unheld(event.workspace, peer)
            except Overloaded:
                return Retry(_SOON, "the views are behind")
            cause = cause_of(self.name, recorded)
            await retract_unheld(self._decide, event.workspace, unheld, cause)
        return Done()
