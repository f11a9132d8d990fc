"""Draws conclusions from messages, each message exactly once (RS 3)."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, cast

import msgspec

from commands.decide import Decide
from commands.derivation import (
    RecordFailure,
    record_derivation,
    record_failure,
    watch_derivation,
)
from commands.living import Source
from commands.ports import Clock
from domain.derivation import Derivation, DerivationRedriven, DerivationRequested
from domain.event import Event
from domain.recorded import Recorded
from domain.session import MessageAdded
from processors.attempts import (
    ASKED,
    REFUSALS,
    Tries,
    may_be_mended,
    patience,
    tries_of,
    word_of,
)
from processors.drawing import Drawing, together
from processors.drawing import Outcome as Drawn
from processors.following import cause_of, name_of
from processors.gates import Gates
from processors.language_model import BudgetExhausted, ModelRefused, Unavailable
from processors.ports import KnownWords, StreamReader
from processors.processor import Batch, Done, Outcome, Park, Retry
from processors.reasoner import Reasoner
from processors.said_again import SaidAgain
from processors.said_since import ReadSaid
from processors.stories import stories
from processors.waiting import SaidSince
from processors.windows import cut_window
from processors.work import Work, record_of

_LOG: Final = logging.getLogger(__name__)

AT_ONCE: Final = 100
"""Most messages recorded in one append: as many as one request may bring (RS 0)."""


GENERATION: Final = 1
"""Of derivations over the same messages, in the names of their commands."""

WINDOWS: Final = 4
"""Most windows of a session a model is asked about before other sessions' turn."""


class Gathering(msgspec.Struct, frozen=True):
    """When a model is asked, and of how many tokens at once (RS 1.4, 1.5)."""

    gates: Gates = Gates()
    window_tokens: int = 1_024


class DeriveConclusions:
    """Feeds new messages to a reasoner, window by window, and records what it found.

    A window is what one request said: what is concluded from it does not depend on
    how much else was waiting. With ``gathers`` it is what waits in the session when
    the gates open, of any request: a call of a model costs more than a line of it.
    What waits is read from the session's stream, and the session's derivation says
    which messages are done: so a second delivery, or one that is cut differently,
    derives nothing twice, and nothing that waits is forgotten by a restart.

    An attempt that came to nothing is recorded; its messages wait, twice as long
    after each. Where the model answers, and its answer is none each time, the window
    is passed over, which the record says: what is said after it is not to wait for
    it, nor who asks what is pending (RS 1.6, 1.7, HC E06); it is derived when it is
    redriven. What a model refuses otherwise, again and again, is parked.
    """

    name = "derive_conclusions"
    handles: tuple[type[Event], ...] = (
        MessageAdded,
        DerivationRequested,
        DerivationRedriven,
    )

    def __init__(
        self,
        decide: Decide,
        streams: StreamReader,
        reasoner: Reasoner,
        *,
        clock: Clock,
        gathers: Gathering | None = None,
        said_again: SaidAgain | None = None,
        recollect: KnownWords | None = None,
    ) -> None:
        self._decide = decide
        self._reasoner = reasoner
        self._clock = clock
        self._gathers = gathers
        self._said_again = said_again
        self._begun: set[tuple[str, str]] = set()
        self._since = SaidSince(ReadSaid(decide, streams))
        self._draw = Drawing(
            decide, reasoner, told=gathers is not None, recollect=recollect
        )

    async def __call__(self, batch: Batch) -> Outcome:
        """Derive what is new of a session's messages, or what is due.

        Raises:
            Overloaded: it may succeed later.
        """
        first = cast("MessageAdded", batch.events[0].event)
        named = (first.workspace, first.session)
        said = [each for each in batch.events if isinstance(each.event, MessageAdded)]
        if self._gathers is None:
            outcome = await self._at_once(named, said, len(said) < len(batch.events))
        else:
            outcome = await self._when_due(named, said, self._gathers)
        for each in batch.events:
            if isinstance(outcome, Done) and isinstance(each.event, DerivationRedriven):
                outcome = await self._redriven(named, each, each.event)
        return outcome

    async def _at_once(
        self,
        named: tuple[str, str],
        said: Sequence[Recorded],
        asked: bool,  # noqa: FBT001  of one call only
    ) -> Outcome:
        """Derive what is new, and what waited for a gate that is no more."""
        while True:
            through = (await self._state(named)).through_seq
            new = [each for each in said if _message(each).seq > through]
            if asked or (new and _message(new[0]).seq > through + 1):
                _, new = await self._since.read(named, through, AT_ONCE)
            if not new:
                return Done()
            run = new[:AT_ONCE]
            work = Work(run, list(stories(run)), name_of(*self._named, run))
            outcome = await self._derive(named, work)
            gone = (await self._state(named)).through_seq == through
            if gone or not isinstance(outcome, Done):
                return outcome

    async def _when_due(
        self, named: tuple[str, str], said: Sequence[Recorded], how: Gathering
    ) -> Outcome:
        """Derive all that waits once a gate is open (RS 1.4), in windows."""
        done = await self._state(named)
        begun = bool(done.failures) or named in self._begun
        if not begun and not await self._is_due(named, done, said, how.gates):
            return Done()
        self._begun.discard(named)
        for _ in range(WINDOWS):
            through = (await self._state(named)).through_seq
            before, waiting = await self._since.read(named, through, AT_ONCE)
            if not waiting:
                return Done()
            cut = cut_window(waiting, before, how.window_tokens, AT_ONCE)
            work = Work(cut.handled, [cut.read], name_of(*self._named, cut.handled))
            outcome = await self._derive(named, work)
            gone = (await self._state(named)).through_seq == through
            if gone or not isinstance(outcome, Done):
                return outcome
            self._since.handled(named, cut.handled[-1])
        self._begun.add(named)
        return Retry(timedelta(), "more waits")

    async def _is_due(
        self,
        named: tuple[str, str],
        done: Derivation,
        said: Sequence[Recorded],
        gates: Gates,
    ) -> bool:
        backlog = await self._since.count(named, done.through_seq, said, AT_ONCE)
        asked = 0 < backlog.first_asked <= done.asked_seq
        full = backlog.count >= AT_ONCE
        return asked or full or gates.is_open(backlog.waiting, self._clock())

    async def _redriven(
        self, named: tuple[str, str], recorded: Recorded, event: DerivationRedriven
    ) -> Outcome:
        """Derive what was passed over, once more and once."""
        waits = (await self._state(named)).redriven_range(
            (event.first_seq, event.last_seq)
        )
        if waits is None:
            return Done()
        most = event.last_seq - event.first_seq + 1
        before, said = await self._since.read(named, event.first_seq - 1, most)
        handled = [each for each in said if _message(each).seq <= event.last_seq]
        if not handled:
            return Done()
        context = [] if before is None else [before]
        work = Work(
            handled,
            [[*context, *handled]],
            name_of(f"{self.name}.again", GENERATION, [recorded]),
            waits,
        )
        return await self._derive(named, work)

    async def _derive(self, named: tuple[str, str], work: Work) -> Outcome:
        """Draw from messages and record what was drawn, or that nothing was."""
        state = await self._state(named)
        tries = tries_of(state, work.again)
        unanswered, drawn = False, Drawn()
        try:
            # Who did not answer is asked the same; whose answer was none, once more.
            key = f"{work.name}.{tries.forgiven}.{tries.unusable}"
            drawn = together(
                [
                    await self._draw(read, work.handled, f"{key}.{number}")
                    for number, read in enumerate(work.reads)
                ]
            )
        except BudgetExhausted:
            raise  # nobody was asked: no attempt has failed
        except (Unavailable, ModelRefused) as failure:
            if tries.unusable + 1 < ASKED or may_be_mended(failure):
                return await self._failed(named, work, tries, failure)
            _LOG.warning("%s: passed over: %s", self.name, failure)
            unanswered = True
        if self._said_again is not None and drawn.found:
            source = Source(*named, work.handled[0].position)
            marked = await self._said_again(source, drawn.found)
            drawn = msgspec.structs.replace(drawn, found=marked)
        command = record_of(
            self.name, work, drawn, drawn.engine or self._reasoner.engine
        )
        command = msgspec.structs.replace(command, unanswered=unanswered)
        await record_derivation(self._decide, command)
        return Done()

    async def _failed(
        self,
        named: tuple[str, str],
        work: Work,
        tries: Tries,
        failure: Unavailable | ModelRefused,
    ) -> Outcome:
        """Record the attempt; say when to try again."""
        error = word_of(failure)
        refused = isinstance(failure, ModelRefused)
        parked = refused and tries.unusable + 1 >= REFUSALS
        wait = patience(failure, tries)
        command = RecordFailure(
            workspace=named[0],
            session=named[1],
            name=f"{work.name}.failed.{tries.failures + 1}",
            first_seq=_message(work.handled[0]).seq,
            last_seq=_message(work.handled[-1]).seq,
            error=error,
            engine=self._reasoner.engine,
            cause=cause_of(self.name, work.handled[-1]),
            position=work.handled[0].position,
            retry_at=None if parked else self._clock() + wait,
            again=work.again is not None,
        )
        await record_failure(self._decide, command)
        reason = f"DerivationFailed ({error})"
        return Park(reason) if parked else Retry(wait, reason)

    async def _state(self, named: tuple[str, str]) -> Derivation:
        return await self._decide.look(watch_derivation(*named))

    @property
    def _named(self) -> tuple[str, int]:
        return self.name, GENERATION


def _message(recorded: Recorded) -> MessageAdded:
    return cast("MessageAdded", recorded.event)
