"""Events being decided over several streams, and the states as they would stand."""

from collections.abc import Sequence
from typing import Any, TypeVar

from commands.watched import Watched
from domain.event import Event
from domain.names import Stream

S = TypeVar("S")


class Proposal:
    """What one decision wants recorded; each event at once changes the state seen.

    Lives for one decision. ``events`` is what ``Decide`` appends.
    """

    def __init__(self, watched: Sequence[Watched[Any]], states: Sequence[Any]) -> None:
        self.events: dict[Stream, list[Event]] = {}
        self._states = {
            each.stream.name: state for each, state in zip(watched, states, strict=True)
        }

    def state(self, of: Watched[S]) -> S:
        """Return the state of a watched stream, what is proposed included."""
        state: S = self._states[of.stream.name]
        return state

    def record(self, of: Watched[Any], events: Sequence[Event]) -> None:
        """Propose these events of a watched stream; none is nothing."""
        if not events:
            return
        state = self._states[of.stream.name]
        for event in events:
            state = of.after(state, event)
        self._states[of.stream.name] = state
        self.events.setdefault(of.stream, []).extend(events)

    def add(self, stream: Stream, event: Event) -> None:
        """Propose an event of a stream whose state nobody needs."""
        self.events.setdefault(stream, []).append(event)
