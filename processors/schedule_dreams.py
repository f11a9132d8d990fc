"""Schedules a dream where enough was concluded since the last one (RS 6.1)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import msgspec

from commands.decide import Decide
from commands.dream import ScheduleDueDream, schedule_due_dream, watch_dreams
from commands.parents import watch_named_session, watch_named_workspace
from commands.ports import Clock, Overloaded
from domain.conclusion import ConclusionDerived
from domain.configuration import dreams
from domain.dream import (
    DreamCompleted,
    DreamFailed,
    DreamKind,
    DreamScheduled,
    Trigger,
)
from domain.dreaming import Dreams, Rest, deadline
from domain.event import Event
from domain.names import is_reserved
from domain.recorded import Recorded
from domain.scope import SessionAddedToScope, SessionRemovedFromScope
from processors.dream_news import DreamNews, News, Pair
from processors.following import cause_of, name_of
from processors.processor import Batch, Done, Outcome, Retry

_SOON: Final = timedelta(seconds=1)


class DreamRules(msgspec.Struct, frozen=True, kw_only=True):
    """When dreams come by themselves, and whether they do.

    ``threshold`` are explicit conclusions since the last dream of a kind; ``enabled``
    is what holds where no configuration says otherwise.
    """

    threshold: int = 50
    rest: Rest = Rest()
    kinds: tuple[DreamKind, ...] = ("omni",)
    enabled: bool = True


class ScheduleDreams:
    """Looks at each collection that something is new in, or that was dreamt of.

    A dream waits for its deadline in the log. While one waits nothing is scheduled for
    its pair: that there is no rest yet is found when it is due. What was concluded
    while a pair was dreamt of is looked at when that is over, so nobody waits for a
    further saying (RS 13.1 W5). A scope whose sessions change dreams of all it
    touches, however much is new (RS 2.8).
    """

    name = "schedule_dreams"
    handles: tuple[type[Event], ...] = (
        ConclusionDerived,
        SessionAddedToScope,
        SessionRemovedFromScope,
        DreamCompleted,
        DreamFailed,
    )

    def __init__(
        self,
        decide: Decide,
        news: DreamNews,
        rules: DreamRules,
        clock: Clock,
        *,
        generation: int = 1,
    ) -> None:
        self._decide = decide
        self._news = news
        self._rules = rules
        self._clock = clock
        self._generation = generation

    async def __call__(self, batch: Batch) -> Outcome:
        """Schedule what the batch makes due."""
        try:
            for pair, trigger in (await self._touched(batch.events)).items():
                for kind in self._rules.kinds:
                    await self._consider(pair, kind, trigger, batch.events[-1])
        except Overloaded:
            return Retry(_SOON, "the views are behind")
        return Done()

    async def _touched(self, events: Sequence[Recorded]) -> dict[Pair, Trigger]:
        """Return the pairs to look at; what a scope touches, whatever is new there."""
        workspace = events[0].tenant
        drawn: list[str] = []
        scopes: dict[str, list[str]] = {}
        found: dict[Pair, Trigger] = {}
        for recorded in events:
            match event := recorded.event:
                case ConclusionDerived(level="explicit"):
                    drawn.append(event.id)
                case SessionAddedToScope() | SessionRemovedFromScope():
                    scopes.setdefault(event.scope, []).append(event.session)
                case DreamCompleted() | DreamFailed(retry_at=None):
                    pair = (workspace, event.observer, event.observed)
                    found[pair] = await self._after(pair, event)
                case _:
                    continue
        if drawn:
            pairs = await self._news.pairs_holding(workspace, drawn)
            found.update(dict.fromkeys(pairs, "threshold"))
        for scope, sessions in scopes.items():
            pairs = await self._news.pairs_of_scope(workspace, scope, sessions)
            found.update(dict.fromkeys(pairs, "scope"))
        return found

    async def _after(self, pair: Pair, over: DreamCompleted | DreamFailed) -> Trigger:
        """Return for what to look at a pair anew: its scope moved as it was dreamt of.

        None was scheduled then, for one was under way (RS 2.8).
        """
        read = over.position if isinstance(over, DreamCompleted) else 0
        if not read or not is_reserved(over.observer):
            return "threshold"
        moved = await self._news.scope_has_moved(pair, read)
        return "scope" if moved else "threshold"

    async def _consider(
        self, pair: Pair, kind: DreamKind, trigger: Trigger, last: Recorded
    ) -> None:
        state = await self._decide.look_anew(watch_dreams(*pair))
        if (kind, *pair[1:]) in state.waiting:
            return
        news = await self._news.since(pair, state.last(kind).read)
        few = trigger == "threshold" and news.count < self._rules.threshold
        if few or not await is_enabled(self._decide, pair[0], news, self._rules):
            return
        event = self._event(pair, kind, trigger, (state, news))
        named = name_of(self.name, self._generation, [last])
        command = ScheduleDueDream(
            name=f"{named}:{kind}:{pair[1]}/{pair[2]}",
            position=last.position,
            event=event,
            cause=cause_of(self.name, last),
        )
        await schedule_due_dream(self._decide, command)

    def _event(
        self,
        pair: Pair,
        kind: DreamKind,
        trigger: Trigger,
        known: tuple[Dreams, News],
    ) -> DreamScheduled:
        state, news = known
        now = self._clock()
        newest = now if trigger == "scope" else news.newest or now
        return DreamScheduled(
            workspace=pair[0],
            id="",
            observer=pair[1],
            observed=pair[2],
            kind=kind,
            scheduled_at=now,
            named_session=news.session,
            trigger=trigger,
            due_at=deadline(state.last(kind), newest, self._rules.rest),
            counted=news.count,
        )


async def is_enabled(
    decide: Decide, workspace: str, news: News, rules: DreamRules
) -> bool:
    """Tell whether the session of the newest conclusion lets dreams come (RS 6.1)."""
    place = await decide.look(watch_named_workspace(workspace))
    levels = [place.configuration]
    if news.session is not None:
        session = watch_named_session(workspace, news.session)
        levels.append((await decide.look(session)).configuration)
    return dreams(*levels, otherwise=rules.enabled)
