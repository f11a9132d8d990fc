"""What all partitions bring comes out as the log, whatever the topic lacks."""

import asyncio
import gc
import time
from contextlib import aclosing, asynccontextmanager

import pytest

from infra.kafka import partitions, resequenced
from tests.support.topic_copy import WITHIN, taken, topic_copy

pytestmark = pytest.mark.kafka

SIZES = (7, 3, 5, 1, 4, 6, 2, 8)
ALL = sum(SIZES)


@pytest.fixture(autouse=True)
def opened(monkeypatch):
    """What was opened to be read; it has all the time there is to bring its records."""
    found, opening = [], resequenced.open_partitions

    @asynccontextmanager
    async def noted(*given):
        async with opening(*given) as partitions:
            found.append(partitions)
            yield partitions

    monkeypatch.setattr(partitions, "PATIENCE", WITHIN)
    monkeypatch.setattr(resequenced, "open_partitions", noted)
    return found


@asynccontextmanager
async def waited_in_vain(opened, monkeypatch):
    """Have no patience any more once all there is was brought."""
    async with asyncio.timeout(WITHIN):
        while not opened or not await brought(opened[-1]):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    with monkeypatch.context() as patch:
        patch.setattr(partitions, "PATIENCE", 0.0)
        patch.setattr(opened[-1]._ordered, "_patience", 0.0)
        yield


async def brought(partitions):
    consumer, places = partitions._consumer, partitions._places
    return await consumer.drained(places) == await consumer.ends(places)


@pytest.fixture
async def copy(log_dsn, kafka_settings, log):
    async with topic_copy(log_dsn, kafka_settings, log) as opened:
        await opened.serve(1, 3)
        yield opened


async def test_all_partitions_come_out_as_the_log_and_go_on(copy):
    first = await copy.append(*SIZES)
    await copy.write(first)
    async with aclosing(aiter(copy.read())) as batches:
        assert await taken(batches, len(first)) == first
        rows = await copy.append(*SIZES)
        await copy.write(rows[len(first) :])
        assert await taken(batches, len(rows) - len(first)) == rows[len(first) :]


@pytest.mark.parametrize("after", [1, 17, 35, 36])
async def test_it_begins_anywhere(copy, after):
    rows = await copy.append(*SIZES)
    await copy.write(rows)
    reading = copy.read(after)
    async with aclosing(aiter(reading)) as batches:
        if after < len(rows):
            assert await taken(batches, len(rows) - after) == rows[after:]
        more = await copy.append(2)
        await copy.write(more[len(rows) :])
        assert await taken(batches, 2) == more[len(rows) :]
    assert not reading.missing.count


async def test_what_the_topic_lacks_is_read_from_the_log(copy, opened, monkeypatch):
    rows = await copy.append(*SIZES)
    await copy.write(
        rows,
        lose=(1, 9, 10, 36),
        twice=(2, 20, 30),
        damage=(5, 22),
        clear=range(11, 15),
    )
    reading = copy.read()
    async with aclosing(aiter(reading)) as batches:
        coming = asyncio.create_task(taken(batches, len(rows)))
        async with waited_in_vain(opened, monkeypatch):
            assert await coming == rows
    assert sum(reading.missing.count.values()) == 10
    assert reading.missing.count["clear"] == 4
    assert reading.position == len(rows)


async def test_a_lost_end_is_read_from_the_log(copy, opened, monkeypatch):
    rows = await copy.append(*SIZES)
    await copy.write(rows, lose=(35, 36))
    reading = copy.read(20)
    async with aclosing(aiter(reading)) as batches:
        coming = asyncio.create_task(taken(batches, 16))
        async with waited_in_vain(opened, monkeypatch):
            assert await coming == rows[20:]
    assert reading.missing.count["silent"] == 2


async def test_it_goes_on_in_the_next_generation_with_other_partitions(copy):
    first = await copy.append(*SIZES)
    await copy.write(first)
    async with aclosing(aiter(copy.read())) as batches:
        assert await taken(batches, len(first)) == first
        await ended(copy)
        await copy.serve(2, 5)
        rows = await copy.append(*SIZES)
        await copy.write(rows)
        assert await taken(batches, len(rows) - len(first)) == rows[len(first) :]


async def test_a_lost_generation_is_left_for_the_next(copy):
    first = await copy.append(*SIZES)
    await copy.write(first, lose=range(10, 40))
    async with aclosing(aiter(copy.read())) as batches:
        rows = await taken(batches, 9)
        await copy.pool.execute("UPDATE work.topic SET state = 'lost'")
        await copy.serve(2, 2)
        await copy.write(first)
        assert rows + await taken(batches, len(first) - 9) == first


async def test_what_the_log_has_not_got_is_not_waited_for_when_another_serves(copy):
    """Clear content is read from the log, and a log that was put back is shorter."""
    rows = await copy.append(*SIZES)
    beyond = rows[-1]._replace(position=ALL + 1)
    await copy.write([*rows, beyond], clear=(ALL + 1,))
    reading = copy.read()
    async with aclosing(aiter(reading)) as batches:
        assert await taken(batches, ALL) == rows
        coming = asyncio.create_task(taken(batches, 2))
        async with asyncio.timeout(60):
            while "clear" not in reading.missing.count:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        looks = looked(copy, lambda found: found.number == 2)
        await copy.pool.execute("UPDATE work.topic SET state = 'lost'")
        await copy.serve(2, 2)
        async with asyncio.timeout(60):
            await looks.acquire()
        more = await copy.append(2)
        await copy.write(more)
        assert await coming == more[ALL:]


async def test_after_a_silence_the_topic_is_given_time(copy, monkeypatch):
    """Who looks at how far it is written may be sooner than who fetches."""
    clock = Later()
    monkeypatch.setattr(partitions, "time", clock)
    monkeypatch.setattr(partitions, "PATIENCE", 30.0)
    monkeypatch.setattr(partitions, "POLL", 0.05)
    monkeypatch.setattr(resequenced, "LOOK", 0.0)
    first = await copy.append(*SIZES)
    await copy.write(first)
    reading = copy.read()
    async with aclosing(aiter(reading)) as batches:
        assert await taken(batches, ALL) == first
        coming = asyncio.create_task(taken(batches, 2))
        clock.later = 60.0
        rows = await copy.append(2)
        looks = looked(copy, lambda found: found.position == ALL + 2)
        await copy.generations.move(await copy.serving(), ALL + 2, ())
        async with asyncio.timeout(60):
            for _ in range(3):
                await looks.acquire()
        await copy.write(rows[ALL:], noted=False)
        assert await coming == rows[ALL:]
    assert not reading.missing.count


class Later:
    later = 0.0

    def monotonic(self):
        return time.monotonic() + self.later


def looked(copy, expected):
    """Count how often somebody sees a generation as it is expected to serve."""
    looks, serving = asyncio.Semaphore(0), copy.generations.serving

    async def look():
        found = await serving()
        if found is not None and expected(found):
            looks.release()
        return found

    copy.generations.serving = look
    return looks


@pytest.fixture
def _collected():
    """No socket is left to the collector."""
    yield
    gc.collect()


@pytest.mark.usefixtures("_collected")
async def test_what_was_written_is_read_though_no_broker_answers(copy, monkeypatch):
    monkeypatch.setattr(partitions, "OPENED_WITHIN", 1.0)
    rows = await copy.append(*SIZES)
    await copy.write(rows)
    copy.settings = without_brokers(copy.settings)
    async with aclosing(aiter(copy.read(10))) as batches:
        assert await taken(batches, 26) == rows[10:]


def without_brokers(settings):
    return settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:9"})


async def ended(copy):
    await copy.pool.execute(
        "UPDATE work.topic SET state = 'ended', ended_at = position"
    )
