"""A conversation of an agent with a model, cut to what the model may take in (RS 8.4).

What it was opened with stays. After that the oldest units go first: a call for tools
and what they answered stay or go together, as providers want it.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from processors.language_model import ToolOffer, Turn
from processors.ports import TokenCounter

_TURN: Final = 4
"""Tokens a turn costs beside what it says."""

_CUT: Final = "\n[the rest was left out: there is no room for it]"


class Conversation:
    """Turns as they are added, and what they cost in tokens."""

    def __init__(self, opening: Sequence[Turn], tokens: TokenCounter) -> None:
        self._tokens = tokens
        self._opening = tuple(opening)
        self._opening_cost = self.cost(self._opening)
        self._units: list[tuple[Turn, ...]] = []
        self._costs: list[int] = []

    def add(self, *unit: Turn) -> None:
        """Go on with turns that stay together."""
        self._units.append(unit)
        self._costs.append(self.cost(unit))

    def say(self, turn: Turn) -> None:
        """Go on with a turn that belongs to what was last."""
        if not self._units:
            self.add(turn)
            return
        self._units[-1] = (*self._units[-1], turn)
        self._costs[-1] += self.cost([turn])

    def within(self, room: int) -> tuple[tuple[Turn, ...], int]:
        """Return the turns that fit, and what they cost.

        The newest unit stays, and is cut where it alone is too long; the opening
        stays as it is.
        """
        left = room - self._opening_cost
        first, total = len(self._units), 0
        while first and total + self._costs[first - 1] <= left:
            first -= 1
            total += self._costs[first]
        kept = self._units[first:]
        if self._units and not kept:
            cut = self._shortened(self._units[-1], left)
            kept, total = [cut], self.cost(cut)
        turns = [*self._opening, *(turn for unit in kept for turn in unit)]
        return tuple(turns), self._opening_cost + total

    def _shortened(self, unit: Sequence[Turn], room: int) -> tuple[Turn, ...]:
        """Give what the tools of a unit answered an equal share of the room."""
        told = [turn for turn in unit if turn.role == "tool"]
        rest = self.cost([turn for turn in unit if turn.role != "tool"])
        share = (room - rest) // max(1, len(told)) - _TURN
        return tuple(
            msgspec.structs.replace(turn, content=self._cut(turn.content, share))
            if turn.role == "tool"
            else turn
            for turn in unit
        )

    def _cut(self, text: str, most: int) -> str:
        """Cut a text to so many tokens, by as much as it has too many each time."""
        kept, cost = text, self._tokens.count(text)
        if cost <= most:
            return text
        while kept and cost > most:
            kept = kept[: len(kept) * max(0, most) // (cost + 1)]
            cost = self._tokens.count(kept + _CUT)
        return kept + _CUT

    def cost(self, turns: Sequence[Turn]) -> int:
        """Count the tokens of turns, about as a provider does."""
        return sum(
            _TURN
            + self._tokens.count(turn.content)
            + sum(
                _TURN + self._tokens.count(call.name + call.arguments)
                for call in turn.calls
            )
            for turn in turns
        )


def cost_of(offers: Sequence[ToolOffer], tokens: TokenCounter) -> int:
    """Count the tokens of what a model is told of its tools."""
    return tokens.count(msgspec.json.encode(offers).decode()) if offers else 0
