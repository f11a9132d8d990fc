"""One event that cannot be read stops its key alone, whatever it is read from."""

from datetime import timedelta

import pytest

from domain.conclusion import ConclusionDerived
from domain.session import MessageAdded, PeerJoined
from infra.delivery import FeedLimits
from infra.upcasters import UPCASTERS, Upcaster
from tests.infra.test_feed_faults import once_for_all, processors
from tests.support.damage import broken_seal, damage
from tests.support.feeding import Scripted
from tests.support.kafka_feeding import either_feeding as feeding
from tests.support.positions import processor_positions

__all__ = ["damage", "feeding"]

PATIENT = FeedLimits(first_wait=timedelta(hours=1), idle=0.05)
"""Limits under which what failed is not due again while a test runs."""


def cut_off(data):
    return data[: len(data) // 2]


def no_utf8(data):
    return data.replace(b'"author":"alice"', b'"author":"\xff"')


def impossible_key(data):
    return data.replace(b'"key":', b'"key":9999999999')


@pytest.mark.parametrize("how", [broken_seal, cut_off, no_utf8, impossible_key])
async def test_a_damaged_event_parks_its_key_and_no_other(memory, feeding, damage, how):
    damage.data("b", how)
    [_, damaged] = await memory.say("a", "b")
    await memory.say("other", session="t")
    await memory.say("c")
    scripted = Scripted()
    feed = await feeding.feed(scripted)
    await feeding.until_idle(feed)
    await memory.say("another", session="t")
    await memory.say("d")
    await feeding.until_idle(feed)
    assert scripted.texts("w/s") == ["a"]
    assert scripted.texts("w/t") == ["other", "another"]
    [parked] = await feeding.parking.list(parked_only=True)
    found = (parked.processor, parked.ordering_key, parked.tenant, parked.position)
    assert found == ("scripted", "w/s", "w", damaged.position)
    assert parked.reason.startswith(("A seal", "A stored", "Stored data"))
    [stands] = await processor_positions(feeding.pool)
    assert stands.position == await memory.log.store.head()

    assert await feeding.parking.retry("scripted", "w/s")
    await feeding.until_idle(feed)
    assert scripted.texts("w/s") == ["a"], "it is still damaged"
    [parked] = await feeding.parking.list(parked_only=True)
    assert parked.position == damaged.position

    await damage.mend()
    assert await feeding.parking.retry("scripted", "w/s")
    await feeding.until_idle(feed)
    assert scripted.texts("w/s") == ["a", "b", "c", "d"]
    assert await feeding.parking.list() == []


async def test_a_damaged_event_is_skipped_when_somebody_says_so(
    memory, feeding, damage
):
    damage.data("b", broken_seal)
    damage.data("d", cut_off)
    [_, b, _, d, _] = await memory.say("a", "b", "c", "d", "e")
    scripted = Scripted()
    feed = await feeding.feed(scripted)
    for position, texts in ((b.position, ["a"]), (d.position, ["a", "c"])):
        await feeding.until_idle(feed)
        [parked] = await feeding.parking.list(parked_only=True)
        assert (parked.position, scripted.texts("w/s")) == (position, texts)
        assert await feeding.parking.skip("scripted", "w/s")
    await feeding.until_idle(feed)
    assert scripted.texts("w/s") == ["a", "c", "e"]
    assert await feeding.parking.list() == []


async def test_what_a_later_version_wrote_waits_for_it(memory, feeding, damage):
    """It goes on by itself, once somebody of that version feeds the processor."""
    tag = "message-added@2"
    damage.type("b", tag)
    [_, unknown, _] = await memory.say("a", "b", "c")
    await memory.say("other", session="t")
    scripted = Scripted()
    feed = await feeding.feed(scripted, PATIENT)
    await feeding.until_idle(feed)
    assert scripted.texts("w/s") == ["a"]
    assert scripted.texts("w/t") == ["other"]
    [waits] = await feeding.parking.list()
    assert (waits.state, waits.ordering_key) == ("retry", "w/s")
    assert (waits.position, tag in waits.reason) == (unknown.position, True)

    await damage.mend()
    await feeding.pool.execute("UPDATE work.held SET due_at = now()")  # it is time
    await feeding.until_idle(feed)
    assert scripted.texts("w/s") == ["a", "b", "c"]
    assert await feeding.parking.list() == []


async def test_what_is_of_no_name_known_here_keeps_nobody(memory, feeding, damage):
    damage.type("b", "never-heard-of")
    await memory.say("a", "b", "c")
    scripted = Scripted()
    feed = await feeding.feed(scripted, PATIENT)
    await feeding.until_idle(feed)
    assert scripted.texts("w/s") == ["a", "c"]
    assert await feeding.parking.list() == []


class Joining(Scripted):
    """Handles what nothing is wrong with."""

    handles = (PeerJoined,)

    async def __call__(self, batch):
        names = [each.event.peer for each in batch.events]
        self.delivered.append((batch.ordering_key, names))
        return self.answer(batch)


async def test_what_a_processor_does_not_handle_may_be_damaged(memory, feeding, damage):
    damage.data("a", cut_off)
    damage.type("b", "message-added@2")
    await memory.say("a", "b")
    await memory.join("carol")
    joining = Joining()
    feed = await feeding.feed(joining, PATIENT)
    await feeding.until_idle(feed)
    assert "carol" in joining.texts("w/s")
    assert await feeding.parking.list() == []


async def test_an_upcaster_that_fails_parks_its_key(memory, feeding, monkeypatch):
    def read(old):
        if old.content == "b":
            raise KeyError(old.content)
        return old

    failing = Upcaster(MessageAdded, "message-added@2", read)
    monkeypatch.setitem(UPCASTERS, "message-added", failing)
    await memory.say("b")
    scripted = Scripted()
    feed = await feeding.feed(scripted)
    await feeding.until_idle(feed)
    [parked] = await feeding.parking.list(parked_only=True)
    assert parked.reason == "message-added does not read as message-added@2: KeyError"

    monkeypatch.delitem(UPCASTERS, "message-added")
    assert await feeding.parking.retry("scripted", "w/s")
    await feeding.until_idle(feed)
    assert scripted.texts("w/s") == ["b"]


async def test_what_derives_goes_on_elsewhere_and_does_all_once_it_is_mended(
    memory, feeding, damage
):
    """It looks at the whole session: it stops before what is damaged there."""
    damage.data("I ski.", broken_seal)
    await memory.say("I row.", "I ski.", short_every=2)
    await memory.say("I swim.", session="t", short_every=2)
    feeds = [await feeding.feed(each) for each in processors(memory)]
    memory.decide.forget("session-w+s")
    for feed in (*feeds, *feeds):
        await feeding.until_idle(feed)
    derived = await events_but_damaged(memory, ConclusionDerived)
    assert derived == ["alice says I swim."]
    parked = await feeding.parking.list(parked_only=True)
    assert {each.ordering_key for each in parked} == {"w/s"}
    assert all("A seal does not open" in each.reason for each in parked)
    assert len(parked) == len(feeds)

    await damage.mend()
    for each in parked:
        assert await feeding.parking.retry(each.processor, each.ordering_key)
    for feed in (*feeds, *feeds):
        await feeding.until_idle(feed)
    assert await feeding.parking.list() == []
    await once_for_all(memory)


async def events_but_damaged(memory, kind):
    """Return what was concluded, read as who goes on past damage does."""
    log = memory.log.follow()
    try:
        found = await log.read_log(after=0, limit=1_000)
    finally:
        log.close()
    return [each.event.content for each in found if isinstance(each.event, kind)]
