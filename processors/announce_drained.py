"""Tells webhook endpoints that a work unit of a session drained (RS 1.6, 1.10)."""

from collections.abc import AsyncIterator
from typing import Final, get_args

from commands.decide import Decide
from commands.delivery import AnnounceDrained as Announce
from commands.delivery import announce_drained
from commands.ports import Clock
from commands.summary import watch_summary
from commands.watched import Watched
from commands.webhook import watch_webhooks
from domain.derivation import DerivationCompleted
from domain.event import Event
from domain.names import session_stream
from domain.recorded import Recorded
from domain.session import MessageAdded, Session, SummaryKind, evolve_session
from domain.summary import SummaryOmitted, SummaryProduced
from processors.following import cause_of
from processors.ports import StreamReader
from processors.processor import Batch, Done, Outcome

_PAGE: Final = 200


class AnnounceDrained:
    """After something was derived or summed up, asks whether anything is left.

    The representation of an author in a session drained when no later message of
    theirs waits for reasoning, the summaries when none that fell due is missing. What
    drained twice before anybody looked is told once. Where nothing is signed nothing
    is told, neither now nor when a secret is set later.
    """

    name = "announce_drained"
    handles: tuple[type[Event], ...] = (
        DerivationCompleted,
        SummaryProduced,
        SummaryOmitted,
    )

    def __init__(
        self, decide: Decide, streams: StreamReader, *, clock: Clock, signs: bool
    ) -> None:
        self._decide = decide
        self._streams = streams
        self._clock = clock
        self._signs = signs
        if not signs:
            self.handles = ()

    async def __call__(self, batch: Batch) -> Outcome:
        """Ask for deliveries where somebody wants to hear.

        Raises:
            Overloaded: it may succeed later.
        """
        workspace = batch.events[0].event.workspace
        if not self._signs:
            return Done()
        if not (await self._decide.look(watch_webhooks(workspace))).endpoints:
            return Done()
        for recorded in batch.events:
            match recorded.event:
                case DerivationCompleted() as event:
                    for author in event.handled:
                        await self._represented(recorded, event, author)
                case (SummaryProduced() | SummaryOmitted()) as event:
                    await self._summed_up(recorded, event)
                case _:
                    pass
        return Done()

    async def _represented(
        self, recorded: Recorded, event: DerivationCompleted, author: str
    ) -> None:
        async for _, said in self._said_after(event, event.last_seq):
            if said.derive and said.author == author:
                return
        drained = f"representation:{recorded.position}:{author}"
        await self._announce(recorded, event, drained, author)

    async def _summed_up(
        self, recorded: Recorded, event: SummaryProduced | SummaryOmitted
    ) -> None:
        reached = {
            kind: (
                await self._decide.look(
                    watch_summary(event.workspace, event.session, kind)
                )
            ).answered
            for kind in get_args(SummaryKind)
        }
        last = recorded
        async for message, said in self._said_after(event, event.to_seq - 1):
            if any(reached[kind] < said.seq for kind in said.summaries):
                return
            if said.summaries:
                last = message
        await self._announce(recorded, event, f"summary:{last.position}", None)

    async def _announce(
        self,
        recorded: Recorded,
        event: DerivationCompleted | SummaryProduced | SummaryOmitted,
        drained: str,
        observed: str | None,
    ) -> None:
        """Tell once that a queue is empty; only representations are of somebody."""
        await announce_drained(
            self._decide,
            Announce(
                workspace=event.workspace,
                session=event.session,
                queue_type="summary" if observed is None else "representation",
                observed=observed,
                name=f"{self.name}:{drained}",
                position=recorded.position,
                at=self._clock(),
                cause=cause_of(self.name, recorded),
            ),
        )

    async def _said_after(
        self, event: DerivationCompleted | SummaryProduced | SummaryOmitted, seq: int
    ) -> AsyncIterator[tuple[Recorded, MessageAdded]]:
        """Yield the session's messages after number ``seq``.

        A message's version in its stream is never below its number.
        """
        stream = session_stream(event.workspace, event.session)
        watched = Watched(stream, Session(), evolve_session)
        if (await self._decide.look(watched)).last_seq <= seq:
            return
        version = seq
        while True:
            page = await self._streams.read_stream(
                stream.name, after=version, limit=_PAGE
            )
            for each in page:
                if isinstance(each.event, MessageAdded) and each.event.seq > seq:
                    yield each, each.event
            if len(page) < _PAGE:
                return
            version = page[-1].version
