"""Draws conclusions from messages, each message exactly once (RS 3)."""

from collections.abc import Sequence
from typing import cast

from commands.decide import Decide
from commands.derivation import (
    RecordDerivation,
    record_derivation,
    watch_derivation,
)
from domain.conclusion import MAX_CONCLUSION, Evidence, Found
from domain.derivation import Considered
from domain.event import ERASED, Event
from domain.recorded import Recorded
from domain.session import MessageAdded
from processors.following import cause_of, name_of
from processors.ports import Fact, Reasoner, Said
from processors.processor import Batch, Done, Outcome
from processors.stories import stories

AT_ONCE = 100
"""Most messages recorded in one append: as many as one request may bring (RS 0)."""


class DeriveConclusions:
    """Feeds new messages to a reasoner, story by story, and records what it found.

    A window is what one request said: what is concluded from it does not depend on
    how much else was waiting. The session's derivation says which messages are done,
    so a second delivery, or one that is cut differently, derives nothing twice. A
    fact must rest on messages its peer wrote in the window and that asked for
    reasoning; the rest is dropped.
    """

    name = "derive_conclusions"
    handles: tuple[type[Event], ...] = (MessageAdded,)

    def __init__(
        self, decide: Decide, reasoner: Reasoner, *, generation: int = 1
    ) -> None:
        self._decide = decide
        self._reasoner = reasoner
        self._generation = generation

    async def __call__(self, batch: Batch) -> Outcome:
        """Derive what is new of a session's messages.

        Raises:
            Unavailable, Overloaded: it may succeed later.
        """
        first = _message(batch.events[0])
        done = await self._decide.look(watch_derivation(first.workspace, first.session))
        new = [each for each in batch.events if _message(each).seq > done.through_seq]
        for start in range(0, len(new), AT_ONCE):
            command = await self._reason(new[start : start + AT_ONCE])
            await record_derivation(self._decide, command)
        return Done()

    async def _reason(self, said: Sequence[Recorded]) -> RecordDerivation:
        messages = [_message(each) for each in said]
        found: list[Found] = []
        for story in stories(said):
            found += await self._conclude([_message(each) for each in story])
        return RecordDerivation(
            workspace=messages[0].workspace,
            session=messages[0].session,
            position=said[0].position,
            name=name_of(self.name, self._generation, said),
            messages=tuple(Considered(m.seq, m.author, m.derive) for m in messages),
            found=tuple(found),
            engine=self._reasoner.engine,
            cause=cause_of(self.name, said[-1]),
            causes={_message(each).seq: cause_of(self.name, each) for each in said},
        )

    async def _conclude(self, messages: Sequence[MessageAdded]) -> list[Found]:
        """Return what one story tells, in the order it was said."""
        window = [
            Said(each.id, each.author, each.content, each.created_at)
            for each in messages
            if each.content not in {"", ERASED}
        ]
        found: list[Found] = []
        for author in dict.fromkeys(each.author for each in messages if each.derive):
            own = {m.id: m for m in messages if m.derive and m.author == author}
            for fact in await self._reasoner.derive(window, author):
                found.extend(_checked(fact, own))
        return sorted(found, key=lambda fact: fact.evidence[-1].seq)


def _checked(fact: Fact, own: dict[str, MessageAdded]) -> list[Found]:
    """Return the fact with the part of its evidence that is true, if any is."""
    rests_on = sorted(
        (own[each] for each in dict.fromkeys(fact.evidence) if each in own),
        key=lambda message: message.seq,
    )
    content = fact.content.replace("\x00", "").strip()[:MAX_CONCLUSION]
    if not rests_on or not content:
        return []
    newest = rests_on[-1]
    return [
        Found(
            id="",
            observed=newest.author,
            content=content,
            occurred_at=newest.created_at,
            evidence=tuple(Evidence(m.id, m.session, m.seq) for m in rests_on),
        )
    ]


def _message(recorded: Recorded) -> MessageAdded:
    return cast("MessageAdded", recorded.event)
