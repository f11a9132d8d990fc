"""A peer card: the short list of what one peer holds of another (RS 5).

Its owner sets all of it at once, in lines of any form, which stay as set: no agent
touches them. An agent's lines rest on conclusions and obey ``domain/card_form.py``.
"""

from collections.abc import Collection, Sequence
from typing import ClassVar

import msgspec

from domain.errors import Conflict
from domain.event import Event, Personal


class CardReplacedByOwner(
    Event, frozen=True, kw_only=True, tag="card-replaced-by-owner"
):
    """The owner set the whole card, in this order (HC E15).

    An agent's line that is in it as it was stays the agent's, with its evidence, if it
    is among ``kept``, by their ids; where these are not told, in any case.
    """

    sealed_for: ClassVar[tuple[str | None, str | None]] = (None, "observed")

    observer: str
    observed: str
    entries: Personal[tuple[str, ...]]
    kept: tuple[str, ...] | None = None


class CardEntryAdded(Event, frozen=True, kw_only=True, tag="card-entry-added"):
    """An agent added a line at the end.

    ``evidence`` are the conclusions it rests on, by the ids they were derived under,
    and ``sessions`` those in which what they tell was said, "" standing for none;
    ``run`` is the dream that added it.
    """

    sealed_for: ClassVar[tuple[str | None, str | None]] = (None, "observed")

    observer: str
    observed: str
    id: str
    entry: Personal[str]
    evidence: tuple[str, ...]
    sessions: tuple[str, ...] = ()
    run: str = ""


class CardEntryRevised(Event, frozen=True, kw_only=True, tag="card-entry-revised"):
    """A line says something else, or the same on other evidence, in its place."""

    sealed_for: ClassVar[tuple[str | None, str | None]] = (None, "observed")

    observer: str
    observed: str
    id: str
    entry: Personal[str]
    evidence: tuple[str, ...]
    sessions: tuple[str, ...] = ()
    run: str = ""


class CardEntryRemoved(Event, frozen=True, kw_only=True, tag="card-entry-removed"):
    """An agent took a line of an agent off."""

    observer: str
    observed: str
    id: str
    run: str = ""


CardChange = CardReplacedByOwner | CardEntryAdded | CardEntryRevised | CardEntryRemoved


class CardLine(msgspec.Struct, frozen=True):
    """One line: an agent's, with what it rests on, or one ``pinned`` by the owner.

    A pinned line has no id. ``run`` is the dream that last wrote it.
    """

    id: str
    text: str
    evidence: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    run: str = ""

    @property
    def pinned(self) -> bool:
        """Tell whether the owner set it."""
        return not self.id


class Card(msgspec.Struct, frozen=True):
    """The card as it stands; ``lines`` are None when it was never set.

    ``version`` counts its changes: who edits it says upon which one.
    """

    lines: tuple[CardLine, ...] | None = None
    version: int = 0

    @property
    def entries(self) -> tuple[str, ...] | None:
        """The texts, in their order."""
        return None if self.lines is None else tuple(line.text for line in self.lines)


class CardChanged(Conflict):
    """Somebody changed the card since it was read."""


def evolve_card(state: Card, event: Event) -> Card:
    """Fold one event into the state; events of other aggregates change nothing."""
    if not isinstance(event, CardChange):
        return state
    return Card(_after(state.lines or (), event), state.version + 1)


def _after(lines: tuple[CardLine, ...], event: CardChange) -> tuple[CardLine, ...]:
    match event:
        case CardReplacedByOwner():
            return _replaced(lines, event.entries, event.kept)
        case CardEntryAdded():
            return (*lines, _line(event))
        case CardEntryRevised():
            new = _line(event)
            if all(line.id != event.id for line in lines):
                return (*lines, new)  # what it revises was erased
            return tuple(new if line.id == event.id else line for line in lines)
        case CardEntryRemoved():
            return tuple(line for line in lines if line.id != event.id)


def _line(event: CardEntryAdded | CardEntryRevised) -> CardLine:
    return CardLine(event.id, event.entry, event.evidence, event.sessions, event.run)


def _replaced(
    lines: Sequence[CardLine], entries: Sequence[str], kept: Collection[str] | None
) -> tuple[CardLine, ...]:
    own = {
        line.text: line
        for line in reversed(lines)
        if not line.pinned and (kept is None or line.id in kept)
    }
    return tuple(own.pop(text, CardLine("", text)) for text in entries)


def replace_card(
    state: Card,
    named: tuple[str, str, str],
    entries: tuple[str, ...],
    shown: Collection[str] = (),
) -> list[CardReplacedByOwner]:
    """Replace the card of (workspace, observer, observed); equal is no event.

    ``shown`` are the agents' lines that stand, by their ids: what the owner sets is
    shown, so a line that was withdrawn is the owner's from then on.
    """
    after = _replaced(state.lines or (), entries, shown)
    if state.lines == after:
        return []
    workspace, observer, observed = named
    return [
        CardReplacedByOwner(
            workspace=workspace,
            observer=observer,
            observed=observed,
            entries=entries,
            kept=tuple(line.id for line in after if not line.pinned),
        )
    ]
