"""Tells from the views what rests on what; fulfils ``commands.reach.Reach``."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from commands.ports import Held, Overloaded, Views
from commands.reach import (
    Falling,
    RestingLine,
    Selected,
    Selection,
    Unsupported,
)
from domain.retraction import MOST_TAKEN, Retraction, TakenConclusion
from infra.held_conclusions import HeldConclusions
from infra.postgres.log import PostgresLog
from projections.cards import find_card_lines, show_card
from projections.dependants import find_falling, find_unsupported
from projections.ports import Connection, Database
from projections.scope_support import find_unheld
from projections.selection import (
    Drawn,
    Told,
    check_size,
    find_citing,
    find_derived,
    find_resting,
    find_told,
)
from projections.summary_chains import find_telling
from read_api.filters import compile_filter
from read_api.resources import MESSAGE_FILTERS

_FOLDED_WITHIN: Final = 10.0
"""Seconds to wait for the views to know all there is."""


class StoredReach:
    """The prompt views, once they have passed the head of the log."""

    def __init__(self, log: PostgresLog, database: Database, views: Views) -> None:
        self._log = log
        self._database = database
        self._views = views
        self._held = HeldConclusions(database)

    async def held(self, workspace: str, conclusion: str) -> Held | None:
        """Return it as it stands or last stood, None if there never was one."""
        return await self._held(workspace, conclusion)

    async def falling(
        self,
        workspace: str,
        first: Sequence[TakenConclusion],
        observer: str | None = None,
    ) -> Falling:
        """Return what falls when these do."""
        async with self._all_known() as (db, position):
            found = await find_falling(db, workspace, first, observer)
        return Falling(found.conclusions, found.kept, position)

    async def selected(self, workspace: str, selection: Selection) -> Selected:
        """Return everything downstream of a selection."""
        source = selection.source or None
        where = compile_filter(selection.filters, MESSAGE_FILTERS)
        async with self._all_known() as (db, position):
            told = None
            if selection.filters:
                told = await find_told(db, workspace, where, MOST_TAKEN)
                check_size(told, Drawn((), ()), 0)
            if source is not None:
                drawn = await find_derived(db, workspace, source, told)
            else:
                drawn = await find_resting(db, workspace, told or [])
            summaries = await find_telling(db, workspace, told, source)
            withheld = () if source else tuple(each.taken() for each in told or ())
            check_size(told or () if not source else (), drawn, len(summaries))
            ids = [each.id for each in drawn.conclusions]
            ids += [message for each in withheld for message in each.ids]
            answers = await find_citing(db, workspace, ids)
            gone = [each.id for each in drawn.conclusions]
            cards = await find_card_lines(db, workspace, gone, MOST_TAKEN)
        return Selected(
            conclusions=drawn.conclusions,
            summaries=tuple(summaries),
            messages=withheld,
            kept=drawn.kept,
            answers=tuple(answers),
            cards=tuple(
                RestingLine(each.observer, each.observed, each.line, each.text)
                for each in cards
            ),
            position=position,
        )

    async def left_over(
        self, workspace: str, state: Retraction
    ) -> Sequence[TakenConclusion]:
        """Return what should have fallen with a unit, and still holds."""
        gone = state.conclusions
        told = [Told(each.session, each.ids, ()) for each in state.messages]
        observer = gone[0].observer if gone else None
        async with self._all_known() as (db, _):
            falling = await find_falling(db, workspace, gone, observer)
            drawn = await find_resting(db, workspace, told)
        known = {each.id for each in gone}
        left = {e.id: e for e in (*falling.conclusions, *drawn.conclusions)}
        return [each for each in left.values() if each.id not in known]

    async def unsupported(
        self, workspace: str, unit: str, taken: Sequence[TakenConclusion]
    ) -> Sequence[Unsupported]:
        """Return those that could not stand if all of these came back."""
        async with self._all_known() as (db, _):
            found = await find_unsupported(db, workspace, unit, taken)
        return [Unsupported(each.id, each.unit) for each in found]

    async def unheld(self, workspace: str, observer: str) -> Sequence[TakenConclusion]:
        """Return what an observer inferred from what it does not hold any more."""
        async with self._all_known() as (db, _):
            return await find_unheld(db, workspace, observer)

    async def shown_lines(self, card: tuple[str, str, str]) -> frozenset[str]:
        """Return the ids of the lines an agent wrote on a card that are shown."""
        async with self._all_known() as (db, _):
            shown = await show_card(db, card)
        lines = () if shown is None else shown.lines
        return frozenset(line.id for line in lines if not line.pinned)

    @asynccontextmanager
    async def _all_known(self) -> AsyncIterator[tuple[Connection, int]]:
        head = await self._log.store.head()
        if not await self._views.wait_for(head, _FOLDED_WITHIN):
            raise Overloaded(retry_after=1.0)
        async with self._database.acquire() as db:
            yield db, head
