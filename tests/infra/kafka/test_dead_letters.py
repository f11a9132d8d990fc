"""Letters of what nobody could handle: they hold up nobody, and none is lost."""

import asyncio
import gc
import threading
from contextlib import suppress
from uuid import uuid4

import asyncpg
import pytest
from kafka.errors import KafkaError

from infra.kafka import dead_letters, inflow_wiring
from infra.kafka.dead_letters import DeadLetters
from infra.kafka.letter_box import Letter, LetterBox
from infra.kafka.standing import relay_standing
from tests.infra.kafka.test_shard_feed import letters, part_of, produce
from tests.infra.kafka.test_workers import until
from tests.support.embedded import until as condition
from tests.support.feeding import Scripted
from tests.support.kafka_feeding import kafka_feeding, settings
from tests.support.proxy import proxied
from tests.support.reactions import memory, opened

__all__ = ["memory", "opened", "settings"]

pytestmark = pytest.mark.kafka

WITHIN = 60.0
TOLD = 6


class Mute(DeadLetters):
    async def _send(self, letters):
        with suppress(KafkaError):
            await super()._send(letters)
        await asyncio.Event().wait()


@pytest.fixture
def elsewhere(settings, monkeypatch):
    """Letters go to brokers that take a connection and never say a word.

    Whoever would wait for them waits for ever.
    """
    [_, port] = settings.kafka_bootstrap_servers.split(":")
    with proxied(int(port)) as proxy:
        proxy.stall()
        mute = settings.model_copy(
            update={"kafka_bootstrap_servers": f"127.0.0.1:{proxy.port}"}
        )

        def letters_to_the_mute(_settings, pool, log):
            return Mute(mute, pool, log)

        with monkeypatch.context() as patch:
            patch.setattr(inflow_wiring, "DeadLetters", letters_to_the_mute)
            yield
    for each in threading.enumerate():
        if each.name == "palimpsest-aside":  # who asks the mute; nothing waits for it
            each.join(WITHIN)
    gc.collect()


def nothing_waits(pool):
    async def is_so():
        return await pool.fetchval("SELECT count(*) = 0 FROM work.letter")

    return is_so


@pytest.mark.usefixtures("elsewhere")
async def test_a_topic_that_takes_no_letters_holds_nobody_up_and_none_is_lost(
    memory, opened, database, settings
):
    """The process that was to tell of them ends before it can."""
    offsets = []
    async with kafka_feeding(database.dsn(), opened, settings) as feeding:
        scripted = Scripted()
        feed = await feeding.feed(scripted)
        await memory.say("0")
        await feeding.until_idle(feed)
        for number in range(1, TOLD + 1):
            garbage = b"nonsense %d" % number
            offsets.append(
                produce(settings, settings.kafka_topic, part_of("s"), garbage)
            )
            await memory.say(str(number))
            await feeding.until_idle(feed)
        assert scripted.texts("w/s") == [str(number) for number in range(TOLD + 1)]
    async with kafka_feeding(database.dsn(), opened, settings) as feeding:
        assert (await relay_standing(feeding.pool, settings)).letters == TOLD
        # Who was sending when it ended had a minute for it.
        await feeding.pool.execute("UPDATE work.letter SET due_at = now()")
        mail = DeadLetters(settings, feeding.pool, opened.by_shards())
        sending = asyncio.create_task(mail.run())
        found = await letters(settings, TOLD)
        await until(nothing_waits(feeding.pool))
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await mail.close()
    assert [value for _, value in found] == [
        b"nonsense %d" % n for n in range(1, TOLD + 1)
    ]
    assert [int(headers["letter-offset"]) for headers, _ in found] == offsets
    assert len({headers["letter-id"] for headers, _ in found}) == TOLD


@pytest.mark.parametrize("late", [False, True])
async def test_who_is_stopped_while_a_producer_is_made_leaves_none(
    opened, database, settings, monkeypatch, late
):
    """As when what waits is sent at the very end of a process, or of a test."""
    going_on, go_on, made = asyncio.Event(), threading.Event(), []
    loop, make = asyncio.get_running_loop(), dead_letters._producer

    def slowly(given):
        loop.call_soon_threadsafe(going_on.set)
        go_on.wait(WITHIN)
        made.append(make(given))
        return made[0]

    monkeypatch.setattr(dead_letters, "_producer", slowly)
    monkeypatch.setattr(dead_letters, "_CLOSED_WITHIN", 0.0 if late else WITHIN)
    async with asyncpg.create_pool(database.dsn(), min_size=1, max_size=2) as pool:
        await LetterBox(pool).put([Letter(uuid4(), None, b"", [])])
        mail = DeadLetters(settings, pool, opened.by_shards())
        sending = asyncio.create_task(mail.run())
        await asyncio.wait_for(going_on.wait(), WITHIN)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        closing = asyncio.create_task(mail.close())
        await asyncio.sleep(0)
        go_on.set()
        await closing
        await condition(lambda: made and made[0]._closed)


@pytest.mark.usefixtures("opened")
async def test_letters_that_cannot_be_sent_hold_up_no_others(database):
    """As those do that are larger than brokers take."""
    async with asyncpg.create_pool(database.dsn(), min_size=1, max_size=1) as pool:
        box = LetterBox(pool)
        stuck = [Letter(uuid4(), None, b"", []) for _ in range(3)]
        await box.put(stuck)
        await box.put([later := Letter(uuid4(), None, b"", [])])
        taken = await box.take(3)
        assert {each.id for each in taken} == {each.id for each in stuck}
        await box.again([each.id for each in taken])
        assert later.id in {each.id for each in await box.take(3)}
