"""Draws conclusions from messages, each message exactly once (RS 3)."""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from typing import Final, cast

import msgspec

from commands.decide import Decide
from commands.derivation import (
    RecordDerivation,
    RecordFailure,
    record_derivation,
    record_failure,
    watch_derivation,
)
from commands.parents import watch_session, watch_workspace
from commands.ports import Clock
from domain.conclusion import MAX_CONCLUSION, Evidence, Found
from domain.configuration import resolve
from domain.derivation import Considered, Refused
from domain.event import ERASED, Engine, Event
from domain.recorded import Recorded
from domain.session import MessageAdded
from processors.following import cause_of, name_of
from processors.language_model import Malformed, ModelRefused, Purpose
from processors.processor import Batch, Done, Outcome, Park, Retry
from processors.reasoner import Drawn, Fact, Reasoner, Said
from processors.stories import stories
from processors.windows import windows

_LOG: Final = logging.getLogger(__name__)

AT_ONCE = 100
"""Most messages recorded in one append: as many as one request may bring (RS 0)."""

SETTLED: Final = timedelta(seconds=1)
"""So long nothing more was said when a model that gathers is asked."""

GATHERED: Final = timedelta(seconds=10)
"""So long nobody waits for what is still being said."""

_ASKED: Final = 3
"""Attempts after which a window is passed over that a model has no answer to."""

_FIRST_WAIT: Final = timedelta(seconds=1)
_LONGEST_WAIT: Final = timedelta(hours=1)
_REFUSALS: Final = 5
"""Refusals of a model after which somebody has to look."""


class DeriveConclusions:
    """Feeds new messages to a reasoner, window by window, and records what it found.

    A window is what one request said: what is concluded from it does not depend on
    how much else was waiting. With ``window_tokens`` it is as much of what waits, of
    any request, as has so many tokens: a call of a model costs more than a line of
    it. The session's derivation says which messages are done, so a second delivery,
    or one that is cut differently, derives nothing twice. A fact must rest on
    messages its peer wrote in the window and that asked for reasoning; the rest is
    dropped.

    With ``gathers``, the time, it waits for a moment in which nothing is said: what
    is said quickly one after the other is read together.

    An attempt that came to nothing is recorded; its messages wait, twice as long
    after each, an hour at most. Where the model answers, and its answer is none each
    time, its author's part of the window is passed over, which the record says: what
    is said after it is not to wait for it, nor who asks what is pending (RS 1.6, 1.7,
    HC E06). What a model refuses otherwise, again and again, is parked.
    """

    name = "derive_conclusions"
    handles: tuple[type[Event], ...] = (MessageAdded,)

    def __init__(
        self,
        decide: Decide,
        reasoner: Reasoner,
        *,
        window_tokens: int | None = None,
        gathers: Clock | None = None,
        generation: int = 1,
    ) -> None:
        self._decide = decide
        self._reasoner = reasoner
        self._window_tokens = window_tokens
        self._gathers = gathers
        self._generation = generation

    async def __call__(self, batch: Batch) -> Outcome:
        """Derive what is new of a session's messages.

        Raises:
            Unavailable, Overloaded: it may succeed later.
        """
        first = _message(batch.events[0])
        done = await self._decide.look(watch_derivation(first.workspace, first.session))
        new = [each for each in batch.events if _message(each).seq > done.through_seq]
        if self._is_gathering(new):
            return Retry(SETTLED, "gathering")
        failures = done.failures
        for run in self._runs(new):
            try:
                command = await self._reason(run, failures)
            except (Malformed, ModelRefused) as failure:
                return await self._failed(run, failure)
            await record_derivation(self._decide, command)
            failures = 0
        return Done()

    def _is_gathering(self, new: Sequence[Recorded]) -> bool:
        """Tell whether more may be about to be said, and there is room for it."""
        if self._gathers is None or not new:
            return False
        room = sum(_message(each).tokens for each in new) < (self._window_tokens or 0)
        now = self._gathers()
        return (
            room
            and any(_message(each).derive for each in new)
            and now - new[-1].recorded_at < SETTLED
            and now - new[0].recorded_at < GATHERED
        )

    def _runs(self, new: Sequence[Recorded]) -> Iterator[Sequence[Recorded]]:
        """Cut into what is recorded together: of a model's answers, each by itself."""
        if self._window_tokens is not None:
            yield from windows(new, self._window_tokens, AT_ONCE)
            return
        for start in range(0, len(new), AT_ONCE):
            yield new[start : start + AT_ONCE]

    async def _failed(
        self, run: Sequence[Recorded], failure: Malformed | ModelRefused
    ) -> Outcome:
        """Record the attempt; say when to try again."""
        messages = [_message(each) for each in run]
        named = (messages[0].workspace, messages[0].session)
        derivation = watch_derivation(*named)
        attempt = (await self._decide.look(derivation)).failures + 1
        error = "malformed"
        if isinstance(failure, ModelRefused):
            error = f"refused: {failure.reason}"
        command = RecordFailure(
            workspace=named[0],
            session=named[1],
            name=name_of(f"{self.name}.failed.{attempt}", self._generation, run),
            first_seq=messages[0].seq,
            last_seq=messages[-1].seq,
            error=error,
            engine=self._reasoner.engine,
            cause=cause_of(self.name, run[-1]),
            position=run[0].position,
        )
        await record_failure(self._decide, command)
        if isinstance(failure, ModelRefused) and attempt >= _REFUSALS:
            return Park(f"DerivationFailed ({error})")
        wait = min(_FIRST_WAIT * 2 ** min(attempt - 1, 16), _LONGEST_WAIT)
        return Retry(wait, f"DerivationFailed ({error})")

    async def _reason(
        self, said: Sequence[Recorded], failures: int
    ) -> RecordDerivation:
        messages = [_message(each) for each in said]
        found: list[Found] = []
        engines: list[Engine] = []
        refused, unanswered = Refused(), False
        for window in [said] if self._window_tokens else stories(said):
            story = [_message(each) for each in window]
            facts: list[Found] = []
            async for drawn, own in self._conclude(story, failures):
                if drawn is None:
                    unanswered = True
                    continue
                engines.append(drawn.engine)
                refused += drawn.refused
                for fact in drawn.facts:
                    true, invented = _checked(fact, own)
                    facts += true
                    refused += invented
            found += sorted(facts, key=lambda fact: fact.evidence[-1].seq)
        return RecordDerivation(
            workspace=messages[0].workspace,
            session=messages[0].session,
            position=said[0].position,
            name=name_of(self.name, self._generation, said),
            messages=tuple(
                Considered(m.seq, m.author, m.derive, m.id) for m in messages
            ),
            found=tuple(found),
            engine=_together(engines) or self._reasoner.engine,
            cause=cause_of(self.name, said[-1]),
            causes={_message(each).seq: cause_of(self.name, each) for each in said},
            unanswered=unanswered,
            refused=refused,
        )

    async def _conclude(
        self, messages: Sequence[MessageAdded], failures: int
    ) -> AsyncIterator[tuple[Drawn | None, dict[str, MessageAdded]]]:
        """Yield what one window tells of each author, and the author's messages.

        After enough ``failures`` None is what a model has no answer to.
        """
        named = (messages[0].workspace, messages[0].session)
        withheld = (await self._decide.look(watch_session(*named))).withheld
        readable = [
            each
            for each in messages
            if each.content not in {"", ERASED} and each.id not in withheld
        ]
        window = [
            Said(each.id, each.author, each.content, each.created_at)
            for each in readable
        ]
        wanted = await self._instructions(messages[0])
        for author in dict.fromkeys(each.author for each in readable if each.derive):
            own = {m.id: m for m in readable if m.derive and m.author == author}
            try:
                drawn = await self._reasoner.derive(
                    window,
                    author,
                    wanted,
                    purpose=self._purpose(messages, author, failures),
                )
            except (Malformed, ModelRefused) as failure:
                if failures + 1 < _ASKED or _may_be_mended(failure):
                    raise
                _LOG.warning("%s: passed over: %s", self.name, failure)
                drawn = None
            yield drawn, own

    def _purpose(
        self, messages: Sequence[MessageAdded], author: str, failures: int
    ) -> Purpose:
        first, last = messages[0], messages[-1]
        return Purpose(
            workspace=first.workspace,
            feature="deriver.representation",
            key=f"{first.session}/{first.seq}-{last.seq}/{author}"
            f"/{self._generation}.{failures}",
            peer=author,
            session=first.session,
        )

    async def _instructions(self, message: MessageAdded) -> str | None:
        """Return what the tenant tells a model, of session or else of workspace."""
        if self._window_tokens is None:
            return None
        named = (message.workspace, message.session)
        workspace = await self._decide.look(watch_workspace(named[0]))
        session = await self._decide.look(watch_session(*named))
        levels = (workspace.configuration, session.configuration)
        return resolve(*levels).custom_instructions


def _may_be_mended(failure: Malformed | ModelRefused) -> bool:
    """Tell whether a setting may be wrong, rather than what was said."""
    return isinstance(failure, ModelRefused) and failure.reason != "content_filter"


def _together(engines: Sequence[Engine]) -> Engine | None:
    """Return the engine of several calls, with what they took in all."""
    if not engines:
        return None
    usage: Counter[str] = Counter()
    for each in engines:
        usage.update(each.usage)
    calls = [each.call for each in engines if each.call is not None]
    call = sum(calls[1:], calls[0]) if len(calls) == len(engines) else None
    return msgspec.structs.replace(engines[-1], usage=dict(usage), call=call)


def _checked(fact: Fact, own: dict[str, MessageAdded]) -> tuple[list[Found], Refused]:
    """Return the fact with the part of its evidence that is true, if any is.

    What was made up is counted, not what was said and is nothing.
    """
    cited = dict.fromkeys(fact.evidence)
    rests_on = sorted(
        (own[each] for each in cited if each in own), key=lambda message: message.seq
    )
    refused = Refused(int(not rests_on), len(cited) - len(rests_on))
    content = fact.content.replace("\x00", "").strip()[:MAX_CONCLUSION]
    if not rests_on or not content:
        return [], refused
    newest = rests_on[-1]
    found = Found(
        id="",
        observed=newest.author,
        content=content,
        occurred_at=newest.created_at,
        evidence=tuple(Evidence(m.id, m.session, m.seq) for m in rests_on),
    )
    return [found], refused


def _message(recorded: Recorded) -> MessageAdded:
    return cast("MessageAdded", recorded.event)
