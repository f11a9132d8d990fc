"""A processor gets every event, each key in order, and no key stops another."""

import asyncio
import contextlib
from datetime import timedelta

import pytest

from commands.watched import Watched
from domain.names import session_stream
from domain.session import Session, evolve_session
from infra.delivery import Delivery, FeedLimits
from infra.feed import Feed
from infra.feed_ledger import FeedLedger, Hold, Superseded
from processors.language_model import BudgetExhausted, Unavailable
from processors.processor import Done, Park, Retry
from tests.support.embedded import until
from tests.support.feeding import AT_ONCE, Scripted
from tests.support.feeding import feeding as by_log
from tests.support.kafka_feeding import either_feeding as feeding
from tests.support.positions import processor_positions
from tests.support.reactions import Memory, as_one_process, batch

__all__ = ["by_log", "feeding"]

LATER = timedelta(hours=1)


def failing_at(text, outcome):
    """Answer so for batches that hold a text, as long as ``still`` is set."""

    def answer(batch):
        held = any(each.event.content == text for each in batch.events)
        if not (held and answer.still):
            return Done()
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    answer.still = True
    return answer


async def test_each_key_gets_its_events_in_order(memory, feeding):
    for text in "abc":
        await memory.say(text, session="one")
        await memory.say(text.upper(), session="two")
    scripted = Scripted()
    feed = await feeding.feed(scripted)
    await feeding.until_idle(feed)
    assert scripted.texts("w/one") == ["a", "b", "c"]
    assert scripted.texts("w/two") == ["A", "B", "C"]


class Looking(Scripted):
    """Looks at the session of each message, as it is known here."""

    def __init__(self, decide):
        super().__init__()
        self.decide = decide
        self.seen = []

    async def __call__(self, batch):
        named = Watched(session_stream("w", "s"), Session(), evolve_session)
        self.seen.append((await self.decide.look(named)).last_seq)
        return await super().__call__(batch)


async def test_who_is_fed_knows_what_another_process_appended_unheard(
    memory, feeding, database
):
    looking = Looking(memory.decide)
    feed = await feeding.feed(looking)
    await memory.say("a")
    await feeding.until_idle(feed)
    async with as_one_process(database) as log:
        await Memory(log).say("b")
    await feeding.until_idle(feed)
    assert looking.seen == [1, 2]


async def test_who_tries_again_knows_what_another_process_did_unheard_meanwhile(
    memory, feeding, database
):
    """What it did need not be behind what is tried again, nor be handled here."""

    class Members(Looking):
        async def __call__(self, batch):
            named = Watched(session_stream("w", "s"), Session(), evolve_session)
            self.seen.append("bob" in (await self.decide.look(named)).members)
            return await Scripted.__call__(self, batch)

    looking = Members(memory.decide)
    answers = iter([Retry(timedelta(), "not yet"), Done()])
    looking.answer = lambda _batch: next(answers)
    feed = await feeding.feed(looking)
    await memory.say("a")
    while not looking.seen:
        await feeding.until_fetched()
        await feed.turn()
    async with as_one_process(database) as log:
        await Memory(log).join("bob")
    while len(looking.seen) == 1:
        await feed.turn()
    assert looking.seen == [False, True]


async def test_what_it_does_not_handle_moves_the_checkpoint_only(memory, feeding):
    await memory.join("alice", "bob")
    scripted = Scripted()
    feed = await feeding.feed(scripted)
    await feeding.until_idle(feed)
    assert scripted.delivered == []
    [stands] = await processor_positions(feeding.pool)
    assert stands.position == await memory.log.store.head() == 2


class Counted(FeedLedger):
    """A ledger that counts how often it is asked where the processor stands."""

    asked = 0

    async def standing(self):
        self.asked += 1
        return await super().standing()


async def test_what_concerns_nobody_is_passed_by_and_put_on_record_later(
    memory, by_log
):
    ledger, scripted = Counted(by_log.pool, "scripted"), Scripted()
    limits = FeedLimits(idle=0.5)
    feed = Feed(scripted, memory.log.follow(), ledger, limits)
    running = asyncio.create_task(feed.run())
    await memory.say("a")
    await until(lambda: scripted.texts("w/s") == ["a"])
    before, others = ledger.asked, 40
    for number in range(others):
        await memory.join(f"p{number}", "bob")
    await memory.say("b")
    await until(lambda: scripted.texts("w/s") == ["a", "b"])
    assert ledger.asked - before < others / 4
    await memory.join("last")
    head = await memory.log.store.head()

    async with asyncio.timeout(60):
        while (await processor_positions(by_log.pool))[0].position != head:  # noqa: ASYNC110  the database tells nobody
            await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_feed_goes_on_where_the_last_one_stood(memory, feeding):
    await memory.say("a")
    await feeding.until_idle(await feeding.feed(Scripted()))
    await memory.say("b")
    scripted = Scripted()
    await feeding.until_idle(await feeding.feed(scripted))
    assert scripted.texts("w/s") == ["b"]


async def test_a_log_longer_than_a_page_is_fed_page_by_page(memory, feeding):
    await memory.say(*(str(number) for number in range(25)))
    scripted = Scripted()
    limits = FeedLimits(page=10)
    await feeding.until_idle(await feeding.feed(scripted, limits))
    assert scripted.texts("w/s") == [str(number) for number in range(25)]
    assert max(len(texts) for _, texts in scripted.delivered) == 10


async def test_a_crash_before_the_checkpoint_delivers_again(memory, feeding):
    await memory.say("a")
    feed = await feeding.feed(Scripted(failing_at("a", asyncio.CancelledError())))
    with contextlib.suppress(asyncio.CancelledError, BaseExceptionGroup):
        await feed.turn()
    scripted = Scripted()
    await feeding.until_idle(await feeding.feed(scripted))
    assert scripted.texts("w/s") == ["a"]


async def test_a_key_that_waits_keeps_its_order_and_stops_no_other(memory, feeding):
    answer = failing_at("b", Retry(LATER, "not now"))
    scripted = Scripted(answer)
    feed = await feeding.feed(scripted)
    await memory.say("a", session="one")
    await feeding.until_idle(feed)
    await memory.say("b", session="one")
    await memory.say("x", session="two")
    await feeding.until_idle(feed)
    await memory.say("c", session="one")
    await memory.say("y", session="two")
    await feeding.until_idle(feed)

    assert scripted.texts("w/two") == ["x", "y"]
    assert scripted.texts("w/one") == ["a", "b"]
    [waiting] = await feeding.parking.list()
    assert (waiting.ordering_key, waiting.state) == ("w/one", "retry")
    assert (waiting.reason, waiting.attempts, waiting.tenant) == ("not now", 1, "w")
    [stands] = await processor_positions(feeding.pool)
    assert (stands.position, stands.oldest_waiting) == (5, 2)

    answer.still = False
    assert await feeding.parking.retry("scripted", "w/one")
    await feeding.until_idle(feed)
    assert scripted.texts("w/one") == ["a", "b", "b", "c"]
    assert await feeding.parking.list() == []
    await memory.say("d", session="one")
    await feeding.until_idle(feed)
    assert scripted.texts("w/one")[-1] == "d"


async def test_a_retry_that_is_due_comes_by_itself(memory, feeding):
    failures = iter([Retry(timedelta(), "once"), Retry(timedelta(), "twice"), Done()])
    scripted = Scripted(lambda _batch: next(failures))
    await memory.say("a", "b")
    await feeding.until_idle(await feeding.feed(scripted))
    assert scripted.delivered == [("w/s", ["a", "b"])] * 3
    assert await feeding.parking.list() == []


async def test_a_running_feed_waits_until_a_retry_is_due(memory, feeding):
    failures = iter([Retry(timedelta(milliseconds=30), "soon"), Done()])
    scripted = Scripted(lambda _batch: next(failures))
    feed = await feeding.feed(scripted)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(feed.run())
        await memory.say("a")
        async with asyncio.timeout(60):
            while len(scripted.delivered) < 2:  # noqa: ASYNC110  a bounded wait
                await asyncio.sleep(0.01)
        running.cancel()


async def test_who_does_not_answer_is_asked_again_and_again(memory, feeding):
    answer = failing_at("a", Unavailable("the model"))
    scripted = Scripted(answer)
    feed = await feeding.feed(scripted)
    await memory.say("a")
    await feeding.until_fetched()
    for _ in range(12):
        await feed.turn()
    [waiting] = await feeding.parking.list()
    assert (waiting.state, waiting.reason) == ("retry", "Unavailable")
    assert waiting.attempts > AT_ONCE.attempts
    answer.still = False
    await feeding.until_idle(feed)
    assert await feeding.parking.list() == []


def test_waits_grow_up_to_a_bound_and_honour_what_was_asked():
    limits = FeedLimits(
        first_wait=timedelta(seconds=10), longest_wait=timedelta(seconds=60)
    )
    delivery = Delivery(Scripted(), limits)
    waits = [delivery.patience(attempts, None) for attempts in range(5)]
    assert [each.total_seconds() for each in waits] == [10, 20, 40, 60, 60]
    assert delivery.patience(0, 33.0) == timedelta(seconds=33)


async def test_a_budget_is_looked_at_as_often_as_it_says_and_told_by_name(memory):
    [said] = await memory.say("a")
    poor = failing_at("a", BudgetExhausted("budget used up: all of it", 7))
    delivery = Delivery(Scripted(poor), FeedLimits())
    for attempts in (0, 50):
        hold = await delivery(batch(said), attempts)
        assert hold.after == timedelta(seconds=7)
        assert hold.reason == "budget used up: all of it"


async def test_a_bug_is_tried_some_times_then_parks_at_the_one_event(
    memory, feeding, caplog
):
    scripted = Scripted(failing_at("secret b", ZeroDivisionError("secret b")))
    feed = await feeding.feed(scripted)
    await memory.say("a", "secret b", "c")
    await feeding.until_idle(feed)
    [waiting] = await feeding.parking.list(parked_only=True)
    assert (waiting.state, waiting.reason) == ("parked", "ZeroDivisionError")
    assert waiting.position == 2
    assert "c" not in scripted.texts("w/s")[-1:]
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_parked_key_waits_for_an_operator(memory, feeding):
    answer = failing_at("b", Park("cannot be read"))
    scripted = Scripted(answer)
    feed = await feeding.feed(scripted)
    await memory.say("a", "b", "c")
    await feeding.until_idle(feed)
    [waiting] = await feeding.parking.list(parked_only=True)
    assert (waiting.position, waiting.reason) == (2, "cannot be read")
    delivered = len(scripted.delivered)
    await memory.say("d")
    await feeding.until_idle(feed)
    assert len(scripted.delivered) == delivered

    answer.still = False
    await feeding.parking.retry("scripted", "w/s")
    await feeding.until_idle(feed)
    assert scripted.texts("w/s")[-3:] == ["b", "c", "d"]
    assert await feeding.parking.list() == []


async def test_skipping_passes_over_the_one_event(memory, feeding):
    scripted = Scripted(failing_at("b", Park("cannot be read")))
    feed = await feeding.feed(scripted)
    await memory.say("a", "b", "c")
    await feeding.until_idle(feed)
    assert await feeding.parking.skip("scripted", "w/s")
    await feeding.until_idle(feed)
    assert scripted.delivered[-1] == ("w/s", ["c"])
    assert await feeding.parking.list() == []
    assert not await feeding.parking.skip("scripted", "w/s")
    assert not await feeding.parking.retry("scripted", "w/s")


async def test_two_feeds_at_once_lose_nothing_and_keep_order(memory, feeding):
    one, two = Scripted(), Scripted()
    feeds = [await feeding.feed(each, FeedLimits(page=3)) for each in (one, two)]
    for number in range(8):
        await memory.say(str(number), session="one")
        await memory.say(str(number), session="two")
    await asyncio.gather(*(feeding.until_idle(each) for each in feeds))
    for key in ("w/one", "w/two"):
        for feed in (one, two):
            assert feed.texts(key) == sorted(feed.texts(key))
        seen = {*one.texts(key), *two.texts(key)}
        assert seen == {str(number) for number in range(8)}


async def test_a_feed_that_passed_over_a_released_key_looks_again(memory, by_log):
    """Between two feeds no event may fall: one passes over, one releases."""
    await memory.say("a", "b")
    ledger = FeedLedger(by_log.pool, "scripted")
    await ledger.begin()
    events = await memory.recorded()
    hold = Hold(
        key="w/s", tenant="w", position=1, attempts=1, after=timedelta(), reason="x"
    )
    await ledger.advance(0, (1, events[0].id), [hold], ())

    await ledger.release("w/s", 1)
    with pytest.raises(Superseded):
        await ledger.advance(1, (2, events[1].id), [], ["w/s"])
    assert (await ledger.standing()).position == 1


async def test_a_release_behind_the_checkpoint_holds_on_for_the_rest(memory, by_log):
    await memory.say("a", "b")
    events = await memory.recorded()
    ledger = FeedLedger(by_log.pool, "scripted")
    await ledger.begin()
    hold = Hold(
        key="w/s", tenant="w", position=1, attempts=3, after=timedelta(), reason="x"
    )
    await ledger.advance(0, (1, events[0].id), [hold], ())
    await ledger.advance(1, (2, events[1].id), [], ["w/s"])

    await ledger.release("w/s", 1)
    held = (await ledger.standing()).held["w/s"]
    assert (held.position, held.attempts) == (2, 0)
    await ledger.release("w/s", 2)
    assert (await ledger.standing()).held == {}


async def test_a_checkpoint_moves_by_compare_and_set(memory, by_log):
    await memory.say("a", "b")
    events = await memory.recorded()
    ledger = FeedLedger(by_log.pool, "scripted")
    await ledger.begin()
    await ledger.advance(0, (1, events[0].id), [], ())
    with pytest.raises(Superseded):
        await ledger.advance(0, (2, events[1].id), [], ())


async def test_a_key_held_far_behind_is_found_again(memory, feeding):
    answer = failing_at("a", Retry(LATER, "not now"))
    scripted = Scripted(answer)
    limits = FeedLimits(page=5)
    feed = await feeding.feed(scripted, limits)
    await memory.say("a", session="one")
    await memory.say(*(str(number) for number in range(120)), session="two")
    await memory.say("z", session="one")
    await feeding.until_idle(feed)
    answer.still = False
    await feeding.parking.retry("scripted", "w/one")
    await feeding.until_idle(feed)
    first, *rest = scripted.texts("w/one")
    assert (first, rest[-2:]) == ("a", ["a", "z"])
