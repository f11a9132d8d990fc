"""What belongs to damaged events holds up no other delivery, nor the process."""

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from uuid import UUID

import pytest

from infra.codec.errors import Unreadable
from infra.webhooks import dispatch
from infra.webhooks.dispatch import Dispatch, DispatchLimits
from projections.webhook_deliveries import Delivery

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Nothing(AbstractAsyncContextManager):
    """A database and views of which nothing is asked."""

    position = 0

    def acquire(self):
        return self

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_ended):
        return None

    async def wait_for(self, _position, _timeout):
        return True


@pytest.fixture
def due(monkeypatch):
    """Deliveries that are due, those under way aside."""
    waiting = {}

    async def due_deliveries(_db, _now, *, under_way, limits):  # noqa: ARG001  the port's
        return [each for each in waiting.values() if each.id not in under_way]

    async def next_due(_db, _now):
        return NOW

    monkeypatch.setattr(dispatch, "due_deliveries", due_deliveries)
    monkeypatch.setattr(dispatch, "next_due", next_due)
    return waiting


def delivery(name):
    return Delivery(
        workspace="w",
        id=name,
        endpoint="e",
        url="http://127.0.0.1:1/",
        kind="test.event",
        queue_type=None,
        session=None,
        observer=None,
        observed=None,
        requested_at=NOW,
        state="pending",
        attempts=0,
        due_at=NOW,
        status=None,
        error=None,
        story=UUID(int=1),
        round=1,
    )


async def test_what_cannot_be_recorded_is_not_sent_again_at_once(due):
    attempted = []
    done = asyncio.Event()

    async def deliver(waiting):
        attempted.append(waiting.id)
        if waiting.id == "damaged":
            raise Unreadable("A seal does not open in its place")
        del due[waiting.id]
        if waiting.id == "last":
            done.set()
        else:
            due["last"] = delivery("last")
        return 1

    limits = DispatchLimits(pause=0, idle=0.01)
    nothing = Nothing()
    dispatching = Dispatch(deliver, nothing, nothing, clock=lambda: NOW, limits=limits)
    due["damaged"], due["other"] = delivery("damaged"), delivery("other")
    running = asyncio.create_task(dispatching.run())
    waited = asyncio.create_task(done.wait())
    await asyncio.wait({running, waited}, return_when=asyncio.FIRST_COMPLETED)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert attempted == ["damaged", "other", "last"]
