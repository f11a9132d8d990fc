"""Erases a workspace whose deletion was accepted (HC E04, RS 1.8)."""

from typing import cast

from commands.decide import Decide
from commands.erasure import begin_workspace_erasure, end_streams, erase_workspace
from commands.parents import watch_named_workspace
from commands.ports import Clock
from domain.erasure import WorkspaceDeletionRequested
from domain.event import Event
from domain.names import workspace_stream
from domain.recorded import Recorded
from domain.workspace import Workspace
from processors.following import cause_of
from processors.holdings import Holdings
from processors.processor import Batch, Done, Outcome, Retry


class EraseWorkspace:
    """Ends every stream of a workspace, takes out what it held, then frees its id.

    Sessions made since do not stop it. Whatever breaks off is done again. What cannot
    be brought back is taken only while the log says that it is to go: two processes
    may be at it.
    """

    name = "erase_workspace"
    handles: tuple[type[Event], ...] = (WorkspaceDeletionRequested,)

    def __init__(self, decide: Decide, holdings: Holdings, clock: Clock) -> None:
        self._decide = decide
        self._holdings = holdings
        self._clock = clock

    async def __call__(self, batch: Batch) -> Outcome:
        """Erase, or say when.

        Raises:
            Unavailable, Overloaded, WrongExpectedVersion: it may succeed later.
        """
        for recorded in batch.events:
            event = cast("WorkspaceDeletionRequested", recorded.event)
            state = await self._as_it_is(event.workspace)
            if recorded.position <= state.erased_through:
                await self._end_streams(recorded, state.erased_through)
                continue
            early = event.purge_at - self._clock()
            if early.total_seconds() > 0:
                return Retry(early, "its grace is not over")
            await self._erase(event.workspace, recorded)
        return Done()

    async def _as_it_is(self, named: str) -> Workspace:
        """Return it as any process left it: its id may be in use again."""
        return await self._decide.look_anew(
            watch_named_workspace(named, despite_damage=True)
        )

    async def _erase(self, named: str, recorded: Recorded) -> None:
        cause = cause_of(self.name, recorded)
        await begin_workspace_erasure(self._decide, named, cause)
        await self._end_streams(recorded, await self._holdings.head())
        # Whoever took this over from us may be done with it by now.
        if recorded.position <= (await self._as_it_is(named)).erased_through:
            return
        await self._holdings.forget_vectors(named, None, ())
        await self._holdings.destroy_keys(named, None)
        await self._holdings.unpark(named, None)
        through = await self._holdings.head()
        await erase_workspace(self._decide, named, (self._clock(), through), cause)
        await self._end_streams(recorded, through)

    async def _end_streams(self, recorded: Recorded, through: int) -> None:
        """End all streams but the workspace's own that reached no further than that."""
        workspace = recorded.tenant
        streams = await self._holdings.streams_of_workspace(workspace, through)
        own = workspace_stream(workspace)
        others = {each: at for each, at in streams.items() if each != own}
        cause = cause_of(self.name, recorded)
        await end_streams(self._decide, workspace, others, through, cause)
