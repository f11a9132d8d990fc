"""Content of the topic: sealed by default, opened if wanted, erased for ever."""

import asyncio
from contextlib import AsyncExitStack

import asyncpg
import msgspec
import pytest

from domain.events import EVENT_BY_TAG
from infra.kafka.content import Opened
from infra.kafka.relay import RelayParts
from infra.kafka.relay_wiring import wire_relay
from infra.kafka.standing import relay_standing
from infra.kafka.topic_verification import verify_topic
from infra.postgres.mapper import StructMapper
from infra.upcasters import UPCASTERS
from tests.support.kafka import named_apart
from tests.support.log import WORKSPACE, request
from tests.support.relaying import relaying, topic_read
from tests.support.topic_law import read_topic

pytestmark = pytest.mark.kafka

CANARY = "heliotrope"


@pytest.fixture
async def last(log):
    appended = await log.store.append(request(CANARY, "t", size=3))
    return appended.last


@pytest.fixture
def opened(log):
    return Opened(StructMapper(EVENT_BY_TAG, UPCASTERS), log.keys)


async def records(log_dsn, log, settings, last, *values):
    async with relaying(log_dsn, log, settings, *values) as relay:
        generation = await relay.until(last)
    found = await asyncio.to_thread(
        topic_read, settings, generation.topic, generation.partitions
    )
    return sorted(
        (each for read in found.values() for each in read),
        key=lambda each: each.row.position,
    )


async def test_sealed_means_that_no_word_is_there(log_dsn, log, kafka_settings, last):
    """The session's name is a name, and in the clear; what was said in it is not."""
    found = await records(log_dsn, log, kafka_settings, last)
    assert {each.content for each in found} == {"sealed"}
    for each in found:
        assert msgspec.json.decode(each.row.data).keys() >= {"key", "sealed"}
    servers, topic = kafka_settings.kafka_bootstrap_servers, kafka_settings.kafka_topic
    for part in await asyncio.to_thread(read_topic, servers, topic, 3, last):
        for record in part:
            everything = [record.key, record.value, *(v for _, v in record.headers)]
            assert f"{CANARY} ".encode() not in b"".join(everything)
            assert b"calm" not in b"".join(everything)


async def test_clear_means_the_words_and_no_seal(
    log_dsn, log, kafka_settings, last, opened
):
    found = await records(log_dsn, log, kafka_settings, last, opened)
    assert {each.content for each in found} == {"clear"}
    recorded = await log.store.read_log(after=0, limit=10)
    for each, event in zip(found, recorded, strict=True):
        value = msgspec.json.decode(each.row.data)
        assert value["content"] == event.event.content
        assert value["metadata"] == event.event.metadata
        assert value["key"] > 0
        assert "sealed" not in value


async def test_erased_stays_erased(log_dsn, log, kafka_settings, last, opened):
    assert await log.keys.destroy(WORKSPACE, session=CANARY)
    found = await records(log_dsn, log, kafka_settings, last, opened)
    assert [each.content for each in found] == ["sealed"] * 3 + ["clear"] * 3
    assert all(f"{CANARY} ".encode() not in each.row.data for each in found)


WRONG = {
    2: ("no JSON at all", b"nonsense"),
    3: ("a seal that was changed", None),
    5: ("a key no table can have", b'{"key":%d,"sealed":"AAAA"}' % 2**70),
}


async def damage(log_dsn):
    """Change stored bytes, which only who owns the tables can."""
    connection = await asyncpg.connect(log_dsn)
    try:
        await connection.execute(
            "ALTER TABLE log.event DISABLE TRIGGER event_only_grows"
        )
        for position, (_, wrong) in WRONG.items():
            was = await connection.fetchval(
                "SELECT data FROM log.event WHERE position = $1", position
            )
            await connection.execute(
                "UPDATE log.event SET data = $2 WHERE position = $1",
                *(position, wrong or was.replace(b'"sealed":"', b'"sealed":"AAAA')),
            )
    finally:
        await connection.close()


async def test_what_is_damaged_stops_no_relay_leaves_no_hole_and_is_counted(
    log_dsn, log, kafka_settings, last, opened
):
    await damage(log_dsn)
    stored = await log.rows().page(0, events=10, size=2**20)
    seen = {}
    async with relaying(log_dsn, log, kafka_settings, opened) as relay:
        generation = await relay.until(last)
        standing = await relay_standing(relay.generations._pool, kafka_settings)
        parts = RelayParts(
            log_dsn, kafka_settings, relay.generations, log.rows(), opened
        )
        report = await verify_topic(parts, lambda *_: None)
        assert sum(page.damaged for page in relay.seen.pages) == len(WRONG)
    servers, topic = kafka_settings.kafka_bootstrap_servers, generation.topic
    for part in await asyncio.to_thread(read_topic, servers, topic, 3, last):
        seen |= {int(dict(each.headers)["ce_position"]): each for each in part}
    assert sorted(seen) == list(range(1, last + 1))
    for position, record in seen.items():
        headers = dict(record.headers)
        wrong = position in WRONG
        assert headers["ce_content"] == (b"sealed" if wrong else b"clear")
        assert headers.get("ce_damaged") == (b"true" if wrong else None)
        assert (record.value == stored[position - 1].data) == wrong
    assert standing.damaged == len(WRONG)
    assert report.ok, report


async def test_the_setting_chooses(log_dsn, log, last, kafka, tmp_path):
    """Only who opens is asked for a master key."""
    del log, last
    for content in ("sealed", "clear"):
        settings = named_apart(kafka, kafka_content=content)
        async with AsyncExitStack() as running:
            if content == "sealed":
                await wire_relay(log_dsn, tmp_path, settings, running)
                assert list(tmp_path.iterdir()) == []
            else:
                with pytest.raises(Exception, match="master key"):
                    await wire_relay(log_dsn, tmp_path, settings, running)
