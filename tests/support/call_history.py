"""What calls of models may take, for arbitrary histories of one small workspace."""

from collections.abc import Sequence
from datetime import timedelta

from domain.call import LLMCallRecorded
from domain.event import Call, Event
from tests.support.history import START


def call_events(
    session: str, peer: str, number: int, before: Sequence[Event]
) -> list[Event]:
    """Return calls that ended one way or another, of which one may come twice."""
    fresh = LLMCallRecorded(
        workspace="w",
        id=f"call-{len(before)}",
        feature="dialectic.answer" if number % 3 else "deriver.representation",
        form="complete",
        outcome="failed" if number % 5 == 0 else "answered",
        transport="openai",
        model=f"m-{number % 2}",
        call=Call(
            latency_ms=number / 7,
            attempts=1 + number % 2,
            cost_usd_micros=None if number % 4 == 0 else number,
        ),
        finished_at=START + timedelta(hours=number * 5),
        usage={"input": number, "output": 2, "cached": number % 3},
        peer=peer if number % 2 else None,
        session=session,
        run=f"run-{number % 3}" if number % 3 else "",
    )
    known = [each for each in before if isinstance(each, LLMCallRecorded)]
    return [fresh, *known[-1:]] if number % 6 == 0 else [fresh]
