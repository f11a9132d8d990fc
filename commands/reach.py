"""What taking back needs to know: what rests on what, as the views tell."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from commands.ports import Held
from domain.retraction import (
    KeptConclusion,
    Retraction,
    TakenConclusion,
    TakenMessages,
    TakenSummary,
)


class Falling(msgspec.Struct, frozen=True):
    """What falls, what it began with first, and what loses something and stands.

    ``position`` is where in the log that was so.
    """

    conclusions: tuple[TakenConclusion, ...] = ()
    kept: tuple[KeptConclusion, ...] = ()
    position: int = 0


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What a quarantine is to take: by a filter of messages, by what derived, or both.

    ``filters`` are those of message lists (HC 3). ``source`` names an engine by any of
    ``engine``, ``model``, ``prompt`` and ``version``: what it derived is taken, of
    the messages the filter selects or of all; the messages themselves then stay.
    """

    filters: Mapping[str, Any] = {}
    source: Mapping[str, str] = {}


class RestingLine(msgspec.Struct, frozen=True):
    """A line of somebody's card that rests on what is taken, and goes with it."""

    observer: str
    observed: str
    id: str
    text: str


class Selected(msgspec.Struct, frozen=True, kw_only=True):
    """What a selection takes, and what it touches: answers that cite any of it.

    ``kept`` conclusions lose something they rest on and stand; ``cards`` are lines
    that are not shown while what they rest on is gone.
    """

    conclusions: tuple[TakenConclusion, ...] = ()
    summaries: tuple[TakenSummary, ...] = ()
    messages: tuple[TakenMessages, ...] = ()
    kept: tuple[KeptConclusion, ...] = ()
    answers: tuple[str, ...] = ()
    cards: tuple[RestingLine, ...] = ()
    position: int = 0


class Unsupported(msgspec.Struct, frozen=True):
    """A conclusion that could not stand if it were reinstated now.

    ``unit`` is the one that took what it lacks, None if that is erased.
    """

    id: str
    unit: str | None


class Reach(Protocol):
    """Knows what rests on what. What it says is decided upon again.

    All but ``held`` wait, bounded, until the views have passed the log's head.
    """

    async def held(self, workspace: str, conclusion: str) -> Held | None:
        """Return a conclusion by its public id, also one that was held once."""
        ...

    async def falling(
        self,
        workspace: str,
        first: Sequence[TakenConclusion],
        observer: str | None = None,
    ) -> Falling:
        """Return what falls when these do, for one observer or for everybody.

        Raises:
            TooMuch: more than one unit may take.
        """
        ...

    async def selected(self, workspace: str, selection: Selection) -> Selected:
        """Return everything downstream of a selection.

        Raises:
            Invalid: the filter is not one.
            TooMuch: more than one unit may take.
        """
        ...

    async def left_over(
        self, workspace: str, state: Retraction
    ) -> Sequence[TakenConclusion]:
        """Return what should have fallen with a unit, and still holds."""
        ...

    async def unsupported(
        self, workspace: str, unit: str, taken: Sequence[TakenConclusion]
    ) -> Sequence[Unsupported]:
        """Return those of a unit that could not stand if all of it came back."""
        ...

    async def unheld(self, workspace: str, observer: str) -> Sequence[TakenConclusion]:
        """Return what an observer inferred from what it does not hold any more."""
        ...

    async def shown_lines(self, card: tuple[str, str, str]) -> frozenset[str]:
        """Return the ids of the lines an agent wrote on a card that are shown.

        The card is that of (workspace, observer, observed).
        """
        ...
