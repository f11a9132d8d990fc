"""Events as the log would return them, for tests that need no log."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.event import Event
from domain.recorded import Cause, Recorded

START = datetime(2026, 1, 1, tzinfo=UTC)


def record(events: Iterable[Event], after: int = 0) -> list[Recorded]:
    """Give events the positions after ``after``, one second apart."""
    return [
        Recorded(
            position=position,
            stream="test",
            version=position,
            tenant=event.workspace,
            shard=0,
            recorded_at=START + timedelta(seconds=position),
            id=UUID(int=position),
            cause=Cause(actor="test", correlation_id=UUID(int=1)),
            event=event,
        )
        for position, event in enumerate(events, start=after + 1)
    ]
