"""One thread consumes: nothing lost or twice, whoever is slow, gone or killed."""

import asyncio
import contextlib
import gc
from time import monotonic

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from kafka.cluster import ClusterMetadata
from kafka.errors import KafkaConnectionError
from kafka.future import Future

from infra.kafka.client import client_options
from infra.kafka.consumer_thread import ConsumerThread
from infra.kafka.place import OutOfRange, Place
from tests.support.embedded import until
from tests.support.kafka import named_apart
from tests.support.kafka_broker import kafka_cluster, until_ready

pytestmark = pytest.mark.kafka

PARTS = 4


@pytest.fixture
def topic(kafka_settings):
    admin = KafkaAdminClient(**client_options(kafka_settings, "test"))
    admin.create_topics([NewTopic(kafka_settings.kafka_topic, PARTS, 1)])
    admin.close()
    return kafka_settings.kafka_topic


@pytest.fixture
def produce(kafka_settings, topic):
    producer = KafkaProducer(**client_options(kafka_settings, "test"))

    def produce(part, *values, at=None):
        for value in values:
            producer.send(topic, str(value).encode(), partition=part, timestamp_ms=at)
        producer.flush()

    yield produce
    producer.close()


class Told:
    """A member that keeps what it was told, and starts each place at its beginning."""

    def __init__(self, takes_to_let_go=0.0):
        self.heard = []
        self.ours = set()
        self.takes = takes_to_let_go
        self.consumer = None
        self.placing = set()

    async def assigned(self, places):
        self.heard.append(("assigned", sorted(each.part for each in places)))
        self.ours |= set(places)
        self.placing.add(asyncio.create_task(self.place(places)))

    async def place(self, places):
        with contextlib.suppress(KafkaConnectionError):  # it was closed meanwhile
            await self.consumer.seek(dict.fromkeys(places, 0))
            await self.consumer.resume(places)

    async def revoked(self, places):
        await asyncio.sleep(self.takes)
        self.heard.append(("revoked", sorted(each.part for each in places)))
        self.ours -= set(places)

    async def lost(self, places):
        self.heard.append(("lost", sorted(each.part for each in places)))
        self.ours -= set(places)


@contextlib.asynccontextmanager
async def consuming(settings, member=None, batch=500, **further):
    options = client_options(settings, "test") | further
    if member is not None:
        group = {
            "group_id": settings.kafka_group_prefix,
            "heartbeat_interval_ms": 200,
            "session_timeout_ms": 6_000,
        }
        options = group | options
    consumer = ConsumerThread(options, member, batch=batch, lets_go=3.0)
    if member is not None:
        member.consumer = consumer
    consumer.start()
    try:
        yield consumer
    finally:
        await consumer.close()


async def read(consumer, count, bound=60.0):
    """Return so many values of each place, as they came."""
    found = {}
    deadline = monotonic() + bound
    while sum(map(len, found.values())) < count:
        assert monotonic() < deadline, found
        for place, records in (await consumer.poll()).items():
            found.setdefault(place.part, []).extend(
                int(each.value.decode()) for each in records
            )
    return found


async def test_places_of_ones_own_are_read_from_an_offset_on(
    kafka_settings, topic, produce
):
    produce(0, *range(10))
    produce(1, *range(100, 110))
    async with consuming(kafka_settings, batch=3) as consumer:
        await consumer.assign({Place(topic, 0): 4, Place(topic, 1): 0})
        assert await read(consumer, 16) == {
            0: list(range(4, 10)),
            1: list(range(100, 110)),
        }
        assert await consumer.poll(0.2) == {}
        await consumer.seek({Place(topic, 0): 8})
        assert await read(consumer, 2) == {0: [8, 9]}
        both = [Place(topic, 0), Place(topic, 1)]
        assert await consumer.ends(both) == dict.fromkeys(both, 10)
        assert await consumer.beginnings(both) == dict.fromkeys(both, 0)
        assert await consumer.drained(both) == dict.fromkeys(both, 10)
        assert set(await consumer.parts(topic)) == set(range(PARTS))


async def test_what_is_not_taken_yet_is_not_drained(kafka_settings, topic, produce):
    produce(0, *range(10))
    place = Place(topic, 0)
    async with consuming(kafka_settings, batch=4) as consumer:
        await consumer.assign({place: 0})
        await until(lambda: consumer._inside._kept)
        assert await consumer.drained([place]) == {place: 0}
        taken = await consumer.poll()
        assert len(taken[place]) == 4
        assert (await consumer.drained([place]))[place] in (4, 8)


async def test_what_was_fetched_before_a_seek_does_not_come_after_it(
    kafka_settings, topic, produce
):
    produce(0, *range(10))
    place = Place(topic, 0)
    async with consuming(kafka_settings, batch=4) as consumer:
        await consumer.assign({place: 0})
        await until(lambda: consumer._inside._kept)
        await consumer.seek({place: 7})
        assert await read(consumer, 3) == {0: [7, 8, 9]}


async def test_a_paused_place_waits_while_others_go_on(kafka_settings, topic, produce):
    first, second = Place(topic, 0), Place(topic, 1)
    async with consuming(kafka_settings) as consumer:
        await consumer.assign({first: 0, second: 0})
        await consumer.pause([first])
        produce(0, 1, 2)
        produce(1, 3)
        assert await read(consumer, 1) == {1: [3]}
        assert await consumer.poll(0.3) == {}
        await consumer.resume([first])
        assert await read(consumer, 2) == {0: [1, 2]}


async def test_a_time_tells_a_place(kafka_settings, topic, produce):
    for value in range(5):
        produce(0, value, at=1_000 * (value + 1))
    place, empty = Place(topic, 0), Place(topic, 1)
    async with consuming(kafka_settings) as consumer:
        await consumer.assign({place: 0})
        assert await consumer.at_times({place: 3_000}) == {place: 2}
        assert await consumer.at_times({place: 2_999}) == {place: 2}
        assert await consumer.at_times({place: 9_000, empty: 1}) == {
            place: 5,
            empty: 0,
        }


async def test_an_offset_that_is_gone_is_told_and_never_passed_over(
    kafka_settings, topic, produce
):
    produce(0, *range(5))
    produce(1, 7)
    place, other = Place(topic, 0), Place(topic, 1)
    admin = KafkaAdminClient(**client_options(kafka_settings, "test"))
    admin.delete_records({place: 3})
    admin.close()
    async with consuming(kafka_settings) as consumer:
        await consumer.assign({place: 1, other: 0})
        found, told = {}, None
        while told is None:
            try:
                found |= await consumer.poll(5)
            except OutOfRange as gone:
                told = gone
        assert told.places == {place: 1}
        assert (await consumer.beginnings([place]))[place] == 3
        await consumer.seek({place: 3})
        await consumer.resume([place])
        found = await read(consumer, 2 if found else 3)
        assert found[0] == [3, 4]


async def test_a_member_waits_for_the_partitions_though_an_answer_is_under_way(
    kafka_settings, topic, monkeypatch
):
    """The answer to an earlier question makes the client forget the later one."""
    ask = ClusterMetadata.request_update

    def overtaken(cluster, topics):
        cluster._topics = set(topics)
        return ask(cluster) if cluster._partitions else Future()

    monkeypatch.setattr(ClusterMetadata, "set_topics", overtaken)
    monkeypatch.setattr("infra.kafka.consuming._KNOWN", 600.0)
    one, seldom = Told(), {"metadata_max_age_ms": 600_000}
    async with consuming(kafka_settings, one, **seldom) as consumer:

        def known(inside):
            consumer._inside.subscribe(inside, [topic])
            return inside._cluster.partitions_for_topic(topic)

        async with asyncio.timeout(60):
            assert await consumer.do(known) == set(range(PARTS))
        await until(lambda: len(one.ours) == PARTS)
        assert one.heard == [("assigned", list(range(PARTS)))]


async def test_what_is_taken_away_while_a_batch_is_kept_does_not_end_it(
    kafka_settings, topic, produce
):
    one, two = Told(), Told()
    async with consuming(kafka_settings, one, batch=2) as first:
        await first.subscribe([topic])
        await until(lambda: len(one.ours) == PARTS)
        produce(0, *range(10))
        await until(lambda: first._inside._kept)
        async with consuming(kafka_settings, two) as second:
            await second.subscribe([topic])
            await until(lambda: len(one.ours) == len(two.ours) == PARTS / 2)
        await until(lambda: len(one.ours) == PARTS)
        assert set(await first.parts(topic)) == set(range(PARTS))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_a_thread_that_ends_lets_nobody_wait(kafka_settings, topic, monkeypatch):
    async with consuming(kafka_settings) as consumer:
        await consumer.assign({Place(topic, 0): 0})
        monkeypatch.setattr(consumer._inside, "_look_around", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await consumer.poll(60)
        with pytest.raises(KafkaConnectionError):
            await consumer.ends([Place(topic, 0)])


async def test_a_second_member_takes_over_half_and_gives_it_back(kafka_settings, topic):
    one, two = Told(), Told()
    async with consuming(kafka_settings, one) as first:
        await first.subscribe([topic])
        await until(lambda: len(one.ours) == PARTS)
        async with consuming(kafka_settings, two) as second:
            await second.subscribe([topic])
            polling = asyncio.create_task(keep_polling(first))
            await until(lambda: len(one.ours) == len(two.ours) == PARTS / 2)
            assert not one.ours & two.ours
            stayed = [each for each in one.heard if each[0] == "revoked"]
            assert len(stayed) == 1, "what stays ours is never taken away"
            assert len(stayed[0][1]) == PARTS / 2
        await until(lambda: len(one.ours) == PARTS)
        assert two.heard[-1][0] == "revoked", "who leaves lets go first"
        polling.cancel()


async def keep_polling(consumer):
    while True:
        await consumer.poll()


async def test_a_place_is_given_away_once_it_is_let_go(kafka_settings, topic):
    one, two = Told(takes_to_let_go=1.0), Told()
    async with consuming(kafka_settings, one) as first:
        await first.subscribe([topic])
        await until(lambda: len(one.ours) == PARTS)
        async with consuming(kafka_settings, two) as second:
            begun = monotonic()
            await second.subscribe([topic])
            await until(lambda: len(two.ours) == PARTS / 2)
            assert monotonic() - begun > 1.0


async def test_who_does_not_take_stays_in_the_group(kafka_settings, topic, produce):
    one = Told()
    async with consuming(kafka_settings, one, batch=2) as consumer:
        await consumer.subscribe([topic])
        await until(lambda: len(one.ours) == PARTS)
        produce(0, *range(10))
        await until(lambda: consumer._inside._kept)
        group = await consumer.do(lambda c: c._coordinator)
        for _ in range(3):  # each time anew it has as long as who polls
            before = group.heartbeat.last_poll
            await until(lambda: group.heartbeat.last_poll > before)  # noqa: B023
        assert await read(consumer, 10) == {0: list(range(10))}
        assert [what for what, _ in one.heard] == ["assigned"]


async def test_a_static_member_that_is_back_in_time_moves_nothing(
    kafka_settings, topic
):
    one, two, again = Told(), Told(), Told()
    static = {"group_instance_id": "second", "session_timeout_ms": 120_000}
    async with consuming(kafka_settings, one) as first:
        await first.subscribe([topic])
        async with consuming(kafka_settings, two, **static) as second:
            await second.subscribe([topic])
            await until(lambda: len(one.ours) == len(two.ours) == PARTS / 2)
        before = list(one.heard)
        async with consuming(kafka_settings, again, **static) as second:
            await second.subscribe([topic])
            await until(lambda: len(again.ours) == PARTS / 2)
            assert again.ours.isdisjoint(one.ours)
            assert one.heard == before


async def test_offsets_are_committed_for_those_who_measure_lag(
    kafka_settings, topic, produce
):
    one = Told()
    produce(2, *range(4))
    async with consuming(kafka_settings, one) as consumer:
        await consumer.subscribe([topic])
        await until(lambda: len(one.ours) == PARTS)
        assert await read(consumer, 4) == {2: [0, 1, 2, 3]}
        await consumer.commit({Place(topic, 2): 4})
    admin = KafkaAdminClient(**client_options(kafka_settings, "test"))
    told = admin.list_group_offsets({kafka_settings.kafka_group_prefix: None})
    admin.close()
    assert [
        each.offset
        for place, each in told[kafka_settings.kafka_group_prefix].items()
        if place.partition == 2
    ] == [4]


@pytest.fixture
def _collected():
    """No socket is left to the collector."""
    yield
    gc.collect()


@pytest.mark.long
@pytest.mark.usefixtures("_collected")
async def test_a_broker_that_is_away_is_waited_for(tmp_path, caplog):
    with kafka_cluster(tmp_path / "cluster") as cluster:
        [broker] = cluster.brokers
        settings = named_apart(cluster.servers)
        admin = KafkaAdminClient(**client_options(settings, "test"))
        admin.create_topics([NewTopic(settings.kafka_topic, 1, 1)])
        admin.close()
        place = Place(settings.kafka_topic, 0)
        broker.kill()
        async with consuming(settings, bootstrap_timeout_ms=1_000) as consumer:
            await until(lambda: consumer.away.now)
            assigning = asyncio.create_task(consumer.assign({place: 0}))
            broker.launch()
            await asyncio.to_thread(until_ready, broker)
            await asyncio.wait_for(assigning, 60)
            send(settings, 1)
            assert await read(consumer, 1) == {0: [1]}
            broker.kill()
            await until(lambda: consumer.away.now)
            broker.launch()
            await asyncio.to_thread(until_ready, broker)
            send(settings, 2, 3)
            assert await read(consumer, 2) == {0: [2, 3]}
            broker.freeze()
            await asyncio.sleep(0.5)
            closing = monotonic()
        assert monotonic() - closing < 20
        broker.thaw()
    ours = [each.message for each in caplog.records if each.name.startswith("infra")]
    assert (
        len([each for each in ours if each.startswith("nothing is consumed")]) == 2
    ), ours


def send(settings, *values):
    producer = KafkaProducer(**client_options(settings, "test"))
    for value in values:
        producer.send(settings.kafka_topic, str(value).encode(), partition=0)
    producer.flush()
    producer.close()


async def test_who_polls_is_cancelled_though_something_comes_in_the_same_moment():
    """Else the worker, told to stop, would go on for ever; its loop is tried alone."""
    consumer = ConsumerThread({"client_id": "nobody"})
    polling = asyncio.create_task(consumer.poll(60))
    await asyncio.sleep(0)
    consumer.nudge()
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)
    assert polling.cancelled()
