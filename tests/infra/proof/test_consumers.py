"""Who followed another log is named, by position and event id, and can be set back."""

from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
import pytest

from infra.postgres.checkpoints import LogDiverged
from infra.processor_reset import reset_processor
from infra.proof.consumers import diverged_consumers, diverged_processors
from infra.reactions import Feeds
from infra.settings import Settings
from infra.telemetry.telemetry import Telemetry
from infra.traffic import at_once
from tests.support.feeding import Feeding, Scripted
from tests.support.log import request
from tests.support.own_streams import happened
from tests.support.projecting import projecting, projector
from tests.support.story import said

OTHER = UUID(int=5)


@pytest.fixture
async def forger(log_dsn):
    connection = await asyncpg.connect(log_dsn)
    await connection.execute("ALTER TABLE log.event DISABLE TRIGGER event_only_grows")
    yield connection
    await connection.close()


@pytest.fixture
async def pool(log_dsn):
    async with asyncpg.create_pool(log_dsn, min_size=1, max_size=4) as pool:
        yield pool


@pytest.fixture
async def fed(log, pool):
    """A processor that read the whole of a log of five events."""
    for _ in range(5):
        await log.store.append(request("s"))
    processor = Scripted()
    feeding = Feeding(log, pool)
    await feeding.until_idle(await feeding.feed(processor))
    return processor


@pytest.mark.usefixtures("fed")
async def test_who_followed_this_log_is_not_named(pool):
    assert await diverged_consumers(pool) == []


@pytest.mark.usefixtures("fed")
async def test_a_processor_ahead_of_an_older_log_is_named(pool, forger):
    event = await pool.fetchval("SELECT id FROM log.event WHERE position = 5")
    await forger.execute("DELETE FROM log.event WHERE position > 3")
    (told,) = await diverged_processors(pool)
    assert (told.name, told.position, told.event) == ("scripted", 5, event)
    assert (told.found, told.head) == (None, 3)
    assert str(event) in str(told)
    assert "the log ends at 3" in str(told)


@pytest.mark.usefixtures("fed")
async def test_a_hole_where_a_processor_stands_is_no_end_of_the_log(pool, forger):
    await forger.execute("UPDATE log.event SET position = 9 WHERE position = 5")
    (told,) = await diverged_processors(pool)
    assert (told.position, told.found, told.head) == (5, None, 9)
    assert str(told).endswith("where the log has none")


async def test_it_is_not_fed_until_it_is_set_back(log, log_dsn, pool, forger, fed):
    await forger.execute("DELETE FROM log.event WHERE position > 3")

    async def start():
        async with AsyncExitStack() as running:
            feeds = await Feeds.open(
                log_dsn, log, Settings(_env_file=None), at_once, Telemetry(), running
            )
            await feeds.start([fed])

    with pytest.raises(LogDiverged, match="palimpsest reset scripted"):
        await start()
    done = await reset_processor(pool, "scripted")
    assert (done.before, done.position) == (5, 3)
    await start()
    assert await diverged_processors(pool) == []


async def test_another_log_of_the_same_length_is_read_from_its_beginning(
    pool, forger, fed
):
    await forger.execute("UPDATE log.event SET id = $1 WHERE position = 5", OTHER)
    (told,) = await diverged_processors(pool)
    assert (told.found, told.head) == (OTHER, 5)
    assert str(OTHER) in str(told)
    assert (await reset_processor(pool, fed.name)).position == 0
    assert await diverged_processors(pool) == []


async def test_a_processor_is_set_back_and_never_forward(log, pool, fed):
    feeding = Feeding(log, pool)
    assert (await reset_processor(pool, fed.name)).position == 5  # it fits
    await pool.execute(
        "INSERT INTO work.held (processor, ordering_key, tenant, position, state,"
        " reason) VALUES ('scripted', 'w/s', 'w', 2, 'parked', 'x'),"
        " ('scripted', 'w/t', 'w', 4, 'parked', 'x')"
    )
    done = await reset_processor(pool, fed.name, to=3)
    assert (done.before, done.position) == (5, 3)
    assert [each.position for each in await feeding.parking.list()] == [2]
    assert (await reset_processor(pool, fed.name, to=99)).position == 3
    assert await reset_processor(pool, "nobody") is None
    fed.delivered.clear()
    await feeding.until_idle(await feeding.feed(fed))
    assert len(fed.texts("team/s")) == 2


async def test_views_of_another_log_are_named_and_refused(log, log_dsn, pool, forger):
    async with projecting(log, log_dsn) as (prompt, lagging):
        last = await happened(log, [said(1, "one"), said(2, "two")])
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
    event = await pool.fetchval("SELECT id FROM log.event WHERE position = 2")
    await forger.execute("DELETE FROM log.event WHERE position = 2")
    told = await diverged_consumers(pool)
    assert {(each.kind, each.position, each.event) for each in told} == {
        ("projection", 2, event)
    }
    assert {"messages", "vectors"} <= {each.name for each in told}
    with pytest.raises(LogDiverged, match=f"position 2, event {event}.*ends before"):
        await projector(log, log_dsn).start()
