"""Endpoints hear once that a work unit drained, and only when it did."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from commands.decide import Reason
from commands.webhook import watch_webhooks
from domain.derivation import DerivationCompleted
from domain.event import Engine
from domain.names import derivation_stream, webhook_stream
from domain.recorded import Cause
from domain.summary import SummaryProduced
from domain.webhook import WebhookCreated, WebhookRequested
from processors.announce_drained import AnnounceDrained
from processors.summarize_session import SummarizeSession
from tests.support.reactions import Echo, batch

NOW = datetime(2026, 4, 1, tzinfo=UTC)


class Words:
    def count(self, text):
        return len(text.split())


@pytest.fixture
async def hooked(memory):
    """Two endpoints want to hear."""
    stream = webhook_stream("w")
    made = [
        WebhookCreated(workspace="w", id=each, url=f"https://{each}", created_at=NOW)
        for each in ("h1", "h2")
    ]
    await memory.decide("w", [watch_webhooks("w")], lambda _: {stream: made}, reason())
    return memory


def reason():
    return Reason(Cause(actor="client", correlation_id=uuid4()))


def announce(memory, *, signs=True):
    return AnnounceDrained(
        memory.decide, memory.log.store, clock=lambda: NOW, signs=signs
    )


async def completed(memory, first, last, **handled):
    """Record a derivation, as it would be for the messages numbered so."""
    event = DerivationCompleted(
        workspace="w",
        session="s",
        first_seq=first,
        last_seq=last,
        handled=handled,
        conclusions=(),
        engine=Engine(name="echo", version="1"),
    )
    stream = derivation_stream("w", "s")
    appended = await memory.decide("w", [], lambda _: {stream: [event]}, reason())
    return appended.recorded[0]


async def requested(memory):
    return [
        (each.endpoint, each.queue_type, each.observed)
        for each in await memory.events(WebhookRequested)
    ]


async def test_each_endpoint_hears_that_an_author_drained(hooked):
    await hooked.say("a", "b")
    done = await completed(hooked, 1, 2, alice=2)
    for _ in range(2):
        await announce(hooked)(batch(done))
    assert await requested(hooked) == [
        ("h1", "representation", "alice"),
        ("h2", "representation", "alice"),
    ]
    first = (await hooked.recorded(WebhookRequested))[0]
    assert first.cause.causation_id == done.id


async def test_nothing_is_told_while_a_message_of_the_author_waits(hooked):
    await hooked.say("a")
    await hooked.say("x", author="bob")
    await hooked.say("b")
    one = await completed(hooked, 1, 1, alice=1)
    two = await completed(hooked, 2, 2, bob=1)
    await announce(hooked)(batch(one, two))
    assert {each[2] for each in await requested(hooked)} == {"bob"}
    three = await completed(hooked, 3, 3, alice=1)
    await announce(hooked)(batch(three))
    assert {each[2] for each in await requested(hooked)} == {"bob", "alice"}


async def test_messages_that_ask_for_nothing_hold_nothing_up(hooked):
    await hooked.say("a")
    await hooked.say("b", derive=False)
    await announce(hooked)(batch(await completed(hooked, 1, 1, alice=1)))
    assert len(await requested(hooked)) == 2


async def test_summaries_drain_when_none_is_missing_and_are_told_once(hooked):
    said = await hooked.say("a", "b", "c", short_every=3, long_every=3)
    summarize = SummarizeSession(
        hooked.decide, hooked.log.store, Echo(), tokens=Words(), clock=lambda: NOW
    )
    await summarize(batch(*said))
    produced = await hooked.recorded(SummaryProduced)
    assert len(produced) == 2
    await announce(hooked)(batch(*produced))
    assert await requested(hooked) == [("h1", "summary", None), ("h2", "summary", None)]


async def test_without_a_secret_nothing_is_asked_for(hooked):
    await hooked.say("a")
    done = await completed(hooked, 1, 1, alice=1)
    unsigned = announce(hooked, signs=False)
    assert unsigned.handles == ()
    await unsigned(batch(done))
    assert await requested(hooked) == []


async def test_without_endpoints_nothing_is_asked_for(memory):
    await memory.say("a")
    await announce(memory)(batch(await completed(memory, 1, 1, alice=1)))
    assert await requested(memory) == []
