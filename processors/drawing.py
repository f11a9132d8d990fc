"""What a reasoner draws from messages that are read together, and what is true of it.

A fact must rest on messages its peer wrote, that are being handled and asked for
reasoning; the rest is dropped, and counted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, cast

import msgspec

from commands.decide import Decide
from commands.derivation import watch_concluded
from commands.parents import watch_session, watch_workspace
from domain.conclusion import MAX_CONCLUSION, Evidence, Found, content_key
from domain.configuration import resolve
from domain.derivation import Refused
from domain.event import ERASED, Engine
from domain.recorded import Recorded
from domain.session import MessageAdded
from processors.language_model import Purpose
from processors.ports import KnownWords
from processors.reasoner import Fact, Reasoner, Said, Window
from processors.recalled import repeatable, says_nothing, without_recalled

LINE: Final = 500
LINES: Final = 200
"""Longest line, and most lines of a window, looked for among words of memory."""

NOTHING: Final = frozenset({"", ERASED})
"""What a message reads of which nothing is left."""


class Outcome(msgspec.Struct, frozen=True):
    """What was found, by whom, and how much of it was made up.

    ``engine`` is None where there was nothing to ask it.
    """

    found: tuple[Found, ...] = ()
    engine: Engine | None = None
    refused: Refused = Refused()


class Drawing:
    """Asks a reasoner about messages; ``told`` says whether it heeds instructions.

    With ``recollect`` words of memory are known though they are of other sessions.
    """

    def __init__(
        self,
        decide: Decide,
        reasoner: Reasoner,
        *,
        told: bool,
        recollect: KnownWords | None = None,
    ) -> None:
        self._recollect = recollect
        self._decide = decide
        self._reasoner = reasoner
        self._told = told

    async def __call__(
        self, read: Sequence[Recorded], handled: Sequence[Recorded], key: str
    ) -> Outcome:
        """Return what these messages tell of those who wrote the handled ones.

        ``key`` names the work, so that the same is asked and paid once.

        Raises:
            Unavailable, ModelRefused
        """
        messages = [_said(each) for each in read]
        if not messages:
            return Outcome()
        named = (messages[0].workspace, messages[0].session)
        withheld = (await self._decide.look(watch_session(*named))).withheld
        readable = [
            each
            for each in messages
            if each.content not in NOTHING and each.id not in withheld
        ]
        numbers = {_said(each).seq for each in handled}
        told = await self._told_by_them(named, readable)
        own = {
            m.id: m
            for m in readable
            if m.derive and m.seq in numbers and not says_nothing(told[m.id])
        }
        observed = tuple(dict.fromkeys(each.author for each in own.values()))
        if not observed:
            return Outcome()
        window = Window(
            said=[Said(e.id, e.author, told[e.id], e.created_at) for e in readable],
            observed=observed,
            purpose=Purpose(
                workspace=named[0],
                feature="deriver.representation",
                key=key,
                peer=observed[0] if len(observed) == 1 else None,
                session=named[1],
            ),
            instructions=await self._instructions(next(iter(own.values()))),
        )
        drawn = await self._reasoner.derive(window)
        found, refused = [], drawn.refused
        for fact in drawn.facts:
            true, invented = _checked(fact, own)
            found += true
            refused += invented
        found.sort(key=lambda fact: fact.evidence[-1].seq)
        return Outcome(tuple(found), drawn.engine, refused)

    async def _told_by_them(
        self, named: tuple[str, str], messages: Sequence[MessageAdded]
    ) -> dict[str, str]:
        """Return what each message says, without what memory told its author."""
        known = (await self._decide.look(watch_concluded(*named))).known
        told: dict[str, set[str]] = {}
        for level, peer, key in known:
            if level == "explicit":
                told.setdefault(key, set()).add(peer)
        for peer, text in await self._held(named, messages):
            told.setdefault(content_key(text), set()).add(peer)

        def says(message: MessageAdded) -> str:
            # Who says of themselves what is known of them says it again.
            own = {message.author}
            return without_recalled(
                message.content,
                lambda text: bool(told.get(content_key(text), own) - own),
            )

        return {each.id: says(each) for each in messages}

    async def _held(
        self, named: tuple[str, str], messages: Sequence[MessageAdded]
    ) -> Sequence[tuple[str, str]]:
        """Return what is said here and held, word for word, of who is here."""
        if self._recollect is None:
            return ()
        lines = [line for each in messages for line in repeatable(each.content)]
        short = [line for line in dict.fromkeys(lines) if len(line) <= LINE]
        members = (await self._decide.look(watch_session(*named))).members
        peers = {*members, *(each.author for each in messages)}
        return await self._recollect(named[0], sorted(peers), short[:LINES])

    async def _instructions(self, message: MessageAdded) -> str | None:
        """Return what the tenant tells a model: by message, session or workspace."""
        if not self._told:
            return None
        named = (message.workspace, message.session)
        workspace = await self._decide.look(watch_workspace(named[0]))
        session = await self._decide.look(watch_session(*named))
        levels = (workspace.configuration, session.configuration)
        return message.instructions or resolve(*levels).custom_instructions


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """Return several as one, with what all their calls took."""
    engines = [each.engine for each in outcomes if each.engine is not None]
    found = tuple(fact for each in outcomes for fact in each.found)
    refused = sum((each.refused for each in outcomes), Refused())
    if not engines:
        return Outcome(found, None, refused)
    usage: Counter[str] = Counter()
    for each in engines:
        usage.update(each.usage)
    calls = [each.call for each in engines if each.call is not None]
    call = sum(calls[1:], calls[0]) if len(calls) == len(engines) else None
    engine = msgspec.structs.replace(engines[-1], usage=dict(usage), call=call)
    return Outcome(found, engine, refused)


def _checked(
    fact: Fact, own: Mapping[str, MessageAdded]
) -> tuple[list[Found], Refused]:
    """Return the fact with the part of its evidence that is true, if any is.

    What was made up is counted, not what was said and is nothing.
    """
    cited = dict.fromkeys(fact.evidence)
    true = [own[e] for e in cited if e in own and own[e].author == fact.observed]
    rests_on = sorted(true, key=lambda message: message.seq)
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


def _said(recorded: Recorded) -> MessageAdded:
    return cast("MessageAdded", recorded.event)
