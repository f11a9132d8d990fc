"""Views folded from the topic are the views folded from the log."""

from contextlib import AsyncExitStack
from uuid import uuid4

import msgspec
import pytest

from infra.kafka import partitions
from infra.kafka.recorded_topic import open_recorded_topic
from infra.postgres.views import make_views
from projections.registry import LAGGING, PROMPT
from tests.support.law import assert_rebuilt_equals_live
from tests.support.log import request
from tests.support.projecting import projector
from tests.support.relaying import relaying
from tests.support.topic_copy import topic_copy

pytestmark = pytest.mark.kafka

SIZES = (7, 3, 5, 1, 4, 6, 2, 8)
WITHIN = 60.0


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """The topic has all the time there is to bring its records."""
    monkeypatch.setattr(partitions, "PATIENCE", WITHIN)


@pytest.fixture
async def counted():
    return {}


@pytest.fixture
async def topic(log_dsn, log, kafka_settings, counted):
    def count(reason, events):
        counted[reason] = counted.get(reason, 0) + events

    async with AsyncExitStack() as running:
        yield await open_recorded_topic(log_dsn, log, kafka_settings, count, running)


@pytest.fixture
async def groups(log_dsn, log, topic):
    """Prompt views from the log, lagging views from the topic; the law at the end."""
    assert await make_views(log_dsn, (*PROMPT, *LAGGING)) == []
    prompt = projector(log, log_dsn)
    lagging = projector(log, log_dsn, LAGGING, topic.subscription, follows=prompt)
    await prompt.start()
    await lagging.start()
    yield prompt, lagging
    await assert_rebuilt_equals_live(log_dsn, log.store)
    await lagging.close()
    await prompt.close()


async def test_lagging_views_are_folded_as_the_relay_writes(
    log_dsn, log, kafka_settings, groups, counted
):
    async with relaying(log_dsn, log, kafka_settings):
        for _ in range(5):
            for n, size in enumerate(SIZES):
                await log.store.append(request(f"s{n}", size=size))
        assert await groups[1].wait_for(await log.store.head(), WITHIN)
        assert counted == {}


async def test_lagging_views_wait_for_a_relay_and_prompt_ones_do_not(
    log_dsn, log, kafka_settings, groups
):
    prompt, lagging = groups
    appended = await log.store.append(request("s", size=3))
    assert await prompt.wait_for(appended.last, WITHIN)
    assert not await lagging.wait_for(appended.last, 0.5)
    async with relaying(log_dsn, log, kafka_settings):
        assert await lagging.wait_for(appended.last, WITHIN)


async def test_a_broken_seal_is_read_from_the_log(
    log_dsn, log, kafka_settings, groups, counted
):
    async with topic_copy(log_dsn, kafka_settings, log) as copy:
        await copy.serve(1, 3)
        rows = await copy.append(*SIZES)
        broken = [
            row._replace(data=row.data.replace(b'sealed":"', b'sealed":"AA'))
            if row.position == 20
            else row
            for row in rows
        ]
        await copy.write(broken)
        assert await groups[1].wait_for(len(rows), WITHIN)
    assert counted["damaged"] >= 1


async def test_what_a_stranger_wrote_in_its_place_is_read_from_the_log(
    log_dsn, log, kafka_settings, groups, counted
):
    async with topic_copy(log_dsn, kafka_settings, log) as copy:
        await copy.serve(1, 3)
        rows = await copy.append(*SIZES)
        forged = rows[19]._replace(
            id=uuid4(),
            data=msgspec.json.encode(
                msgspec.json.decode(rows[19].data) | {"tokens": 999}
            ),
        )
        await copy.write([*rows[:19], forged, *rows[20:]])
        assert await groups[1].wait_for(len(rows), WITHIN)
    assert counted["other"] >= 1
