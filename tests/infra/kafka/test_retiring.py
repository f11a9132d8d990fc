"""Topics of ended generations: kept while anybody reads them, then deleted."""

import asyncio
import json
from contextlib import closing, suppress

import pytest
from kafka import KafkaConsumer

from infra.kafka.client import client_options
from infra.kafka.content import as_stored
from infra.kafka.filling import fill_next
from infra.kafka.relay import RelayParts
from infra.kafka.retiring import Retiring
from infra.kafka.topics import partitions_of
from tests.support.command import Shell
from tests.support.feeding import Scripted
from tests.support.kafka import named_apart, variables
from tests.support.kafka_feeding import kafka_feeding
from tests.support.projecting import projecting
from tests.support.reactions import memory, opened
from tests.support.relaying import Seen

__all__ = ["memory", "opened"]

pytestmark = pytest.mark.kafka

SESSIONS = [f"s{number}" for number in range(6)]
NAMED = {"kafka_bootstrap_servers", "kafka_topic", "kafka_group_prefix"}


class Held(Scripted):
    """Takes what it is delivered while it may."""

    def __init__(self):
        super().__init__()
        self.may = asyncio.Event()
        self.may.set()

    async def __call__(self, batch):
        await self.may.wait()
        return await super().__call__(batch)


async def talk(memory, *texts):
    for session in SESSIONS:
        await memory.say(*texts, session=session)


async def until(condition):
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110  a bounded wait
            await asyncio.sleep(0.05)


def stranger(settings):
    """Somebody else's consumer of the first generation, once it has partitions."""
    consumer = KafkaConsumer(
        settings.kafka_topic,
        **client_options(settings, "stranger"),
        group_id="stranger",
        isolation_level="read_committed",
    )
    while not consumer.assignment():
        consumer.poll(100)
    return consumer


async def test_a_topic_is_deleted_once_nobody_has_anything_left_to_read_in_it(
    memory, opened, database, kafka, tmp_path
):
    dsn, settings = database.dsn(), named_apart(kafka, kafka_session_seconds=6)
    shell = Shell(
        tmp_path,
        variables(settings.model_dump(include=NAMED)) | {"DB_CONNECTION_URI": dsn},
    )
    topic, held = settings.kafka_topic, Held()

    def retire():
        done = shell.run("relay", "retire", "--yes", "--json")
        [found] = json.loads(done.out)["generations"]
        return done.code, found

    async with (
        kafka_feeding(dsn, opened, settings) as feeding,
        projecting(opened, dsn, lawful=False) as (_, lagging),
    ):
        generations = feeding.relay.generations
        retiring = Retiring(feeding.pool, settings)
        running = asyncio.create_task((await feeding.feed(held)).run())

        async def has_begun():
            return await feeding.pool.fetchval(
                "SELECT count(*) = 3 FROM work.shard_range WHERE topic = $1", topic
            )

        await talk(memory, "a")
        await until(has_begun)
        held.may.clear()
        await talk(memory, "b", "c")
        await feeding.relay.until(await opened.store.head())
        with closing(await asyncio.to_thread(stranger, settings)):
            rows = opened.rows()
            await fill_next(
                RelayParts(dsn, settings, generations, rows, as_stored),
                *(5, Seen(), lambda _told: None),
            )
            rows.close()
            [ended] = await retiring.ended()
            assert await lagging.wait_for(ended.ended_at, 60)
            code, found = await asyncio.to_thread(retire)
        assert (code, found["retired"]) == (1, False)
        readers = {(each["name"], each["kind"]) for each in found["readers"]}
        workers = f"{settings.kafka_group_prefix}.workers"
        assert readers >= {
            ("scripted", "processor"),
            ("stranger", "consumer group"),
            (workers, "consumer group"),
        }
        [at] = {each["position"] for each in found["readers"]} - {None}
        assert at < found["ended_at"]
        assert await partitions_of(settings, topic) == 3

        held.may.set()  # a worker still in the old generation was not cut off

        async def is_read_by_nobody():
            return not (await retiring.ended())[0].readers

        await until(is_read_by_nobody)
        assert {session: held.texts(f"w/{session}") for session in SESSIONS} == {
            session: ["a", "b", "c"] for session in SESSIONS
        }
        await feeding.pool.execute(
            "INSERT INTO work.consumer VALUES ('analytics', 'roll-ups', 0, now())"
        )
        refused = await retiring.retire(1)
        assert [each.name for each in refused.readers] == ["analytics"]
        await feeding.pool.execute(
            "UPDATE work.consumer SET seen_at = now() - interval '2 min'"
        )
        code, found = await asyncio.to_thread(retire)
        assert (code, found["retired"], found["topic"]) == (0, True, topic)
        # As when two are asked at once: who comes second finds it done.
        assert (
            await partitions_of(settings, topic),
            (await retiring.retire(1)).retired,
        ) == (None, True)
        states = [each.state for each in await generations.all()]
        assert states == ["retired", "serving"]
        assert await retiring.ended() == []

        await talk(memory, "d")

        async def all_is_read():
            return all(held.texts(f"w/{each}")[-1] == "d" for each in SESSIONS)

        await until(all_is_read)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
