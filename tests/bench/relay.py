"""The relay: ``python -m tests.bench.relay [--events N] [--partitions P] [--json]``.

Events of 315 bytes of JSON, sealed, on the embedded Postgres; the relay is a process
of its own; the broker is yours (``KAFKA_BOOTSTRAP_SERVERS``) or one started for it.
First a log that was there before is copied, then single appends, fifty a second, are
waited for by a consumer that reads what is committed.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import asyncpg
from kafka import KafkaConsumer, TopicPartition
from rich.console import Console
from rich.table import Table

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.names import session_stream
from domain.recorded import Cause
from infra.kafka.client import client_options
from infra.kafka.generations import Generations
from infra.kafka.record import incoming
from infra.master_key import MasterKey
from infra.postgres.embedded import EmbeddedPostgres
from infra.postgres.log import PostgresLog
from infra.postgres.migrate import migrate
from infra.settings import Settings
from tests.bench.append import message
from tests.support.kafka import environment_apart, named_apart
from tests.support.kafka_broker import kafka_cluster
from tests.support.relay_process import RelayProcess

SESSIONS = 200
BATCH = 500
RATE = 50


async def say(log, session, first, size):
    events = tuple(message(session, first + n) for n in range(size))
    cause = Cause(actor="client", correlation_id=uuid4())
    stream = StreamAppend(session_stream("bench", session), ANY, events)
    return await log.store.append(AppendRequest("bench", (stream,), cause))


async def filled(log, events):
    """Append so many events, in batches; return the last position."""
    last = 0
    for start in range(0, events, BATCH * 8):
        todo = min(8, -(-(events - start) // BATCH))
        appended = await asyncio.gather(
            *(
                say(log, f"s{(start // BATCH + n) % SESSIONS}", start, BATCH)
                for n in range(todo)
            )
        )
        last = max(each.last for each in appended)
    return last


async def copied(generations, relay, last):
    """Time the relay from its first page to its last, and the processor's time."""
    first = None
    while True:
        now, serving = time.perf_counter(), await generations.serving()
        if serving is not None and serving.position and first is None:
            first = (now, serving.position, processor_seconds(relay))
        if serving is not None and serving.position >= last:
            break
        await asyncio.sleep(0.005)
    events, seconds = serving.position - first[1], now - first[0]
    spent = processor_seconds(relay) - first[2]
    return {
        "events": events,
        "per_second": round(events / seconds),
        "cpu_us_per_event": round(spent / events * 1e6, 1),
    }


def processor_seconds(relay):
    fields = Path(f"/proc/{relay.process.pid}/stat").read_text().rpartition(")")[2]
    user, system = fields.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


class Stranger(threading.Thread):
    """A consumer from the end of the topic on, that notes when each event came."""

    def __init__(self, settings, topic, partitions):
        super().__init__(daemon=True)
        self._settings = settings
        self._places = [TopicPartition(topic, each) for each in range(partitions)]
        self.came = {}
        self.ready = threading.Event()
        self.over = threading.Event()

    def run(self):
        consumer = KafkaConsumer(
            **client_options(self._settings, "bench"),
            group_id=None,
            enable_auto_commit=False,
            isolation_level="read_committed",
            fetch_max_wait_ms=100,
        )
        with closing(consumer):
            consumer.assign(self._places)
            consumer.seek_to_end()
            for each in self._places:
                consumer.position(each)
            self.ready.set()
            while not self.over.is_set():
                for records in consumer.poll(100).values():
                    now = time.perf_counter()
                    for each in records:
                        row = incoming(each.headers, each.value).row
                        self.came[row.position] = now


async def latencies(log, stranger, seconds):
    """Append at a steady pace; return milliseconds from the answer to the consumer."""
    stranger.start()
    await asyncio.to_thread(stranger.ready.wait, 30)
    answered = {}
    begun = time.perf_counter()
    for n in range(int(seconds * RATE)):
        await asyncio.sleep(max(0, begun + n / RATE - time.perf_counter()))
        appended = await say(log, f"late{n % 50}", n, 1)
        answered[appended.last] = time.perf_counter()
    deadline = time.perf_counter() + 30
    while not answered.keys() <= stranger.came.keys():
        assert time.perf_counter() < deadline
        await asyncio.sleep(0.05)
    stranger.over.set()
    late = sorted((stranger.came[p] - at) * 1e3 for p, at in answered.items())
    return {
        "appends": len(late),
        "median_ms": round(statistics.median(late), 1),
        "p99_ms": round(late[int(len(late) * 0.99)], 1),
    }


async def measured(servers, folder, events, partitions, seconds):
    async with relayed_log(servers, folder, events, partitions) as those:
        throughput = await copied(those.generations, those.relay, those.last)
        stranger = Stranger(those.settings, those.settings.kafka_topic, partitions)
        latency = await latencies(those.log, stranger, seconds)
        return {"throughput": throughput, "latency": latency}


class RelayedLog(NamedTuple):
    """A log of so many events, and the process that begins to relay it."""

    dsn: str
    log: PostgresLog
    settings: Settings
    generations: Generations
    relay: RelayProcess
    last: int


@asynccontextmanager
async def relayed_log(servers, folder, events, partitions):
    fields = environment_apart(servers) | {"kafka_partitions": partitions}
    settings = named_apart(servers, **fields)
    async with AsyncExitStack() as running:
        dsn = await running.enter_async_context(postgres(folder))
        log = await running.enter_async_context(
            PostgresLog.open(dsn, MasterKey(os.urandom(32)))
        )
        pool = await running.enter_async_context(
            asyncpg.create_pool(dsn, min_size=1, max_size=1)
        )
        generations = Generations(pool, settings)
        last = await filled(log, events)
        relay = RelayProcess(dsn, fields, folder)
        relay.start()
        running.callback(relay.stop)
        yield RelayedLog(dsn, log, settings, generations, relay, last)


@asynccontextmanager
async def postgres(folder):
    server = EmbeddedPostgres(folder / "data")
    address = await server.start()
    try:
        await migrate(address.dsn())
        yield address.dsn()
    finally:
        await server.stop()


def show(found):
    table = Table(title="relay", show_header=False)
    for part, numbers in found.items():
        for name, value in numbers.items():
            table.add_row(part, name, f"{value:,}")
    Console().print(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--partitions", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="palimpsest-relay-"))
    arguments = (folder, given.events, given.partitions, given.seconds)
    try:
        if yours := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
            found = asyncio.run(measured(yours, *arguments))
        else:
            with kafka_cluster(folder / "broker") as cluster:
                found = asyncio.run(measured(cluster.servers, *arguments))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found)) if given.json else show(found)


if __name__ == "__main__":
    main()
