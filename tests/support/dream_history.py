"""What may happen to dreams, for arbitrary histories of one small workspace."""

from collections.abc import Sequence

from domain.dream import DreamCompleted, DreamScheduled
from domain.event import Engine, Event
from tests.support.history import START


def dream_events(peer: str, number: int, before: Sequence[Event]) -> list[Event]:
    """Return a new dream, or the end of the last one, which may come twice."""
    asked = [each for each in before if isinstance(each, DreamScheduled)]
    if number % 2 or not asked:
        return [
            DreamScheduled(
                workspace="w",
                id=f"dream-{len(before)}",
                observer=peer,
                observed="alice",
                kind="omni",
                scheduled_at=START,
            )
        ]
    last = asked[-1]
    return [
        DreamCompleted(
            workspace="w",
            id=last.id,
            observer=last.observer,
            observed=last.observed,
            kind=last.kind,
            engine=Engine(name="offline", version="1"),
            reason="engine-does-not-dream",
        )
    ]
