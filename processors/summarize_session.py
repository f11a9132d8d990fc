"""Sums a session up when its messages ask for it, without a gap (RS 4)."""

from collections.abc import Sequence
from typing import cast

import msgspec

from commands.decide import Decide
from commands.parents import watch_named_session
from commands.ports import Clock
from commands.summary import (
    ReadWithheld,
    RecordSummary,
    record_summary,
    watch_summary,
)
from domain.event import ERASED, Event
from domain.recorded import Recorded
from domain.session import MessageAdded, SummaryKind
from domain.summary import Summary, SummaryProduced
from processors.following import cause_of, name_of
from processors.language_model import Purpose
from processors.ports import StreamReader, TokenCounter
from processors.processor import Batch, Done, Outcome
from processors.reasoner import Reasoner, Said
from processors.said_since import ReadSaid

WINDOW = 500
"""Most messages one summary absorbs; a longer backlog is absorbed in steps."""


class SummarizeSession:
    """Absorbs what was said since the newest summary of a kind that falls due.

    The input is the range after the newest summary, whatever failed in between, so
    the chain of each kind covers the session from its first message on. Where nothing
    is worth summing up that is recorded, and the range stays the next one's, unless
    it fills a window.
    """

    name = "summarize_session"
    handles: tuple[type[Event], ...] = (MessageAdded,)

    def __init__(
        self,
        decide: Decide,
        streams: StreamReader,
        reasoner: Reasoner,
        *,
        tokens: TokenCounter,
        clock: Clock,
        generation: int = 1,
    ) -> None:
        self._decide = decide
        self._streams = streams
        self._read = ReadSaid(decide, streams)
        self._reasoner = reasoner
        self._tokens = tokens
        self._clock = clock
        self._generation = generation

    async def __call__(self, batch: Batch) -> Outcome:
        """Produce the summaries that the batch's messages make due.

        Raises:
            Unavailable, Overloaded: it may succeed later.
        """
        for recorded in batch.events:
            for kind in _message(recorded).summaries:
                await self._cover(kind, recorded)
        return Done()

    async def _cover(self, kind: SummaryKind, due: Recorded) -> None:
        """Bring the chain of a kind up to the message that made it due."""
        message = _message(due)
        chain = watch_summary(message.workspace, message.session, kind)
        while (newest := await self._decide.look(chain)).answered < message.seq:
            run = await self._said_since(_covered(newest), due)
            if not run:
                return
            whole = await self._with_content(newest, chain.stream.name)
            command = await self._sum_up(kind, whole, run, due)
            try:
                recorded = await record_summary(self._decide, command)
            except ReadWithheld:
                continue
            # Where another process went on with the chain, what it left is still due.
            if recorded is None and await self._decide.look(chain) == newest:
                return

    async def _sum_up(
        self,
        kind: SummaryKind,
        newest: Summary,
        run: Sequence[Recorded],
        due: Recorded,
    ) -> RecordSummary:
        messages = [_message(each) for each in run]
        named = (messages[0].workspace, messages[0].session)
        withheld = (await self._decide.look(watch_named_session(*named))).withheld
        window = [
            Said(each.id, each.author, each.content, each.created_at)
            for each in messages
            if each.content not in {"", ERASED} and each.id not in withheld
        ]
        previous = "" if newest.content == ERASED else newest.content or ""
        purpose = self._purpose(kind, messages)
        summed_up = await self._reasoner.summarize(
            kind, previous, window, purpose=purpose
        )
        content = summed_up.text if summed_up.text.strip() else ""
        return RecordSummary(
            workspace=messages[0].workspace,
            session=messages[0].session,
            position=run[0].position,
            name=name_of(f"{self.name}.{kind}", self._generation, run),
            kind=kind,
            from_seq=messages[0].seq,
            to_seq=messages[-1].seq,
            message=messages[-1].id,
            parent=newest.id,
            content=content,
            tokens=self._tokens.count(content),
            created_at=self._clock(),
            engine=summed_up.engine,
            cause=cause_of(self.name, due),
            read=tuple(each.id for each in window),
        )

    def _purpose(self, kind: SummaryKind, messages: Sequence[MessageAdded]) -> Purpose:
        first, last = messages[0], messages[-1]
        return Purpose(
            workspace=first.workspace,
            feature="summary.short" if kind == "short" else "summary.long",
            key=f"{first.session}/{first.seq}-{last.seq}/{kind}/{self._generation}",
            session=first.session,
        )

    async def _with_content(self, newest: Summary, stream: str) -> Summary:
        """Read what the newest summary says, where a withdrawn one was newer."""
        version, content = 0, newest.content
        while content is None:
            page = await self._streams.read_stream(stream, after=version, limit=WINDOW)
            texts = [
                each.event.content
                for each in page
                if isinstance(each.event, SummaryProduced)
                and each.event.id == newest.id
            ]
            content = next(iter(texts), None if len(page) == WINDOW else "")
            version = page[-1].version if page else version
        return msgspec.structs.replace(newest, content=content)

    async def _said_since(self, seq: int, due: Recorded) -> list[Recorded]:
        """Return the messages after number ``seq`` up to ``due``, ``WINDOW`` at most.

        What was said later is left to the next, so that the same is asked each time.
        """
        message = _message(due)
        named = (message.workspace, message.session)
        run = await self._read(named, version=seq, seq=seq, most=WINDOW)
        return [each for each in run if each.position <= due.position][:WINDOW]


def _covered(newest: Summary) -> int:
    """Return the number of the last message the next summary need not look at."""
    filled = newest.answered - newest.to_seq >= WINDOW
    return newest.answered if filled else newest.to_seq


def _message(recorded: Recorded) -> MessageAdded:
    return cast("MessageAdded", recorded.event)
