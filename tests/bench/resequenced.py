"""Views by way of the topic: ``python -m tests.bench.resequenced [--events N]``.

A log of single messages is relayed; then it is read again, only opened and folded into
the lagging views, from the log and from its topic, in this process: events a second,
and processor time of this process (Postgres and broker not counted). Then single
appends, twenty a second, are waited for until the lagging views show them; then the
topic is verified. The broker is yours (``KAFKA_BOOTSTRAP_SERVERS``) or one of its own.
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import tempfile
import time
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.table import Table

from infra.kafka.content import as_stored
from infra.kafka.recorded_topic import open_recorded_topic
from infra.kafka.relay import RelayParts
from infra.kafka.topic_verification import verify_topic
from infra.postgres.views import LIVE, make_views
from projections.registry import LAGGING, PROMPT
from tests.bench.relay import relayed_log, say
from tests.support.kafka_broker import kafka_cluster
from tests.support.projecting import projector

RATE = 20
SECONDS = 10


async def until(look):
    while not await look():  # noqa: ASYNC110  a table is looked at
        await asyncio.sleep(0.02)


async def paced(work, events):
    begun, spent = time.perf_counter(), time.process_time()
    await work
    seconds, spent = time.perf_counter() - begun, time.process_time() - spent
    return {
        "per_second": round(events / seconds),
        "cpu_us_per_event": round(spent / events * 1e6),
    }


async def read(subscribe, through):
    async def opened():
        async for batch in batches:
            if batch[-1].position >= through:
                return

    batches = aiter(subscribe(0))
    async with aclosing(batches):
        await opened()


class Folding:
    """Prompt views that are there, and lagging ones folded from one of two sources."""

    def __init__(self, log, dsn):
        self.log, self.dsn = log, dsn

    async def start(self, subscribe, through, running):
        db = await asyncpg.connect(self.dsn)
        await db.execute(f"DROP SCHEMA IF EXISTS {LIVE} CASCADE")
        await db.close()
        assert await make_views(self.dsn, (*PROMPT, *LAGGING)) == []
        prompt = projector(self.log, self.dsn)
        await prompt.start()
        running.push_async_callback(prompt.close)
        await prompt.passed(through)
        following = {"follows": prompt, "subscribe": subscribe}
        lagging = projector(self.log, self.dsn, LAGGING, **following)
        await lagging.start()
        running.push_async_callback(lagging.close)
        return lagging


async def late(log, lagging):
    """Append at a steady pace; return milliseconds until the lagging views show it."""
    taken, begun = [], time.perf_counter()

    async def shown(n):
        appended = await say(log, f"late{n % 50}", n, 1)
        answered = time.perf_counter()
        await lagging.passed(appended.last)
        taken.append((time.perf_counter() - answered) * 1e3)

    async with asyncio.TaskGroup() as group:
        for n in range(RATE * SECONDS):
            await asyncio.sleep(max(0, begun + n / RATE - time.perf_counter()))
            group.create_task(shown(n))
    taken.sort()
    p99 = taken[int(len(taken) * 0.99)]
    return {"median_ms": round(statistics.median(taken), 1), "p99_ms": round(p99, 1)}


async def measured(servers, folder, events, partitions):
    found = {}
    async with (
        relayed_log(servers, folder, events, partitions) as those,
        AsyncExitStack() as running,
    ):
        dsn, log, settings, generations, _, last = those

        async def relayed():
            serving = await generations.serving()
            return serving is not None and serving.position >= last

        await until(relayed)
        topic = await open_recorded_topic(dsn, log, settings, lambda *_: None, running)
        sources = {"log": log.subscription, "topic": topic.subscription}
        for name, subscribe in sources.items():
            found[f"read from the {name}"] = await paced(read(subscribe, last), last)
        for name, subscribe in sources.items():
            async with AsyncExitStack() as folding:
                lagging = await Folding(log, dsn).start(subscribe, last, folding)
                folded = await paced(lagging.passed(last), last)
                found[f"fold from the {name}"] = folded | await late(log, lagging)
                last = await log.store.head()
                await until(relayed)
        parts = RelayParts(dsn, settings, generations, log.rows(), as_stored)
        found["verify"] = await paced(verify_topic(parts, lambda *_: None), last)
    return found


def show(found):
    table = Table(title="views by way of the topic", show_header=False)
    for part, numbers in found.items():
        for name, value in numbers.items():
            table.add_row(part, name, f"{value:,}")
    Console().print(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--partitions", type=int, default=12)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="palimpsest-resequenced-"))
    try:
        if yours := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
            found = asyncio.run(measured(yours, folder, given.events, given.partitions))
        else:
            with kafka_cluster(folder / "broker") as cluster:
                found = asyncio.run(
                    measured(cluster.servers, folder, given.events, given.partitions)
                )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(found)) if given.json else show(found)


if __name__ == "__main__":
    main()
