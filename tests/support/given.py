"""Say what happened, what is decided then, and what must come of it."""

from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

import pytest

from domain.card import Card, evolve_card
from domain.errors import DomainError
from domain.event import Event
from domain.peer import Peer, evolve_peer
from domain.session import Session, evolve_session
from domain.workspace import Workspace, evolve_workspace

_EVOLVE: dict[type, Callable[[Any, Event], Any]] = {
    Card: evolve_card,
    Peer: evolve_peer,
    Session: evolve_session,
    Workspace: evolve_workspace,
}


def given(*events: Event) -> "History":
    return History(events)


class History:
    """What happened before, in order."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events

    def when(
        self, decision: Callable[..., Sequence[Event]], *arguments: Any
    ) -> "Decided":
        """Decide upon the history folded into the state the decision asks for."""
        state = fold(get_type_hints(decision)["state"], self._events)
        return Decided(lambda: list(decision(state, *arguments)))


class Decided:
    """A decision about to be taken."""

    def __init__(self, decide: Callable[[], list[Event]]) -> None:
        self._decide = decide

    def then(self, *events: Event) -> None:
        assert self._decide() == list(events)

    def then_nothing(self) -> None:
        assert self._decide() == []

    def then_refused(self, error: type[DomainError], fragment: str = "") -> None:
        with pytest.raises(error) as refusal:
            self._decide()
        assert type(refusal.value) is error
        assert fragment in str(refusal.value)


def fold(kind: type, events: Sequence[Event]) -> Any:
    """Fold events into a fresh state of this kind."""
    state = kind()
    for event in events:
        state = _EVOLVE[kind](state, event)
    return state
