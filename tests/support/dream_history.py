"""What may happen to dreams, for arbitrary histories of one small workspace."""

from collections.abc import Sequence
from datetime import timedelta

from domain.dream import (
    DreamCancelled,
    DreamCompleted,
    DreamFailed,
    DreamScheduled,
    DreamStarted,
    SpecialistCompleted,
)
from domain.event import Engine, Event
from tests.support.history import START

ENGINE = Engine(name="offline", version="1")


def dream_events(peer: str, number: int, before: Sequence[Event]) -> list[Event]:
    """Return a new dream, or what happens to the last one, which may come twice."""
    asked = [each for each in before if isinstance(each, DreamScheduled)]
    if number % 2 or not asked:
        waits = number % 3 == 0
        return [
            DreamScheduled(
                workspace="w",
                id=f"dream-{len(before)}",
                observer=peer,
                observed="alice",
                kind="omni",
                scheduled_at=START,
                trigger="threshold" if waits else "asked",
                due_at=START + timedelta(hours=number) if waits else None,
            )
        ]
    last = asked[-1]
    named = {
        "workspace": "w",
        "id": last.id,
        "observer": last.observer,
        "observed": last.observed,
    }
    kind, attempt = {"kind": last.kind}, {"attempt": 1 + number % 3}
    retry = START + timedelta(hours=1) if number % 4 else None
    return [
        [
            DreamStarted(position=1, started_at=START, **named, **kind, **attempt),
            SpecialistCompleted(
                specialist="deduction",
                position=1,
                through=2,
                engine=ENGINE,
                created={"deductive": number},
                **named,
                **attempt,
            ),
        ],
        [
            DreamFailed(
                specialist="induction",
                error="refused",
                failed_at=START,
                retry_at=retry,
                **named,
                **kind,
                **attempt,
            )
        ],
        [DreamCancelled(reason="disabled", **named, **kind)],
        [
            DreamCompleted(
                engine=ENGINE, reason="engine-does-not-dream", **named, **kind
            )
        ],
    ][number // 2 % 4]
