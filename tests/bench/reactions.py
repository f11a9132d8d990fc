"""How fast messages are derived, and how soon after they were said.

Run by hand: ``python -m tests.bench.reactions``. It starts a Postgres of its own and
says the utterances of the engine's table over and over.
"""

import asyncio
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg

from domain.conclusion import ConclusionDerived, ConclusionReinforced
from infra.feed import Feed
from infra.feed_ledger import FeedLedger
from infra.master_key import MasterKey
from infra.postgres.embedded import ClusterAddress, EmbeddedPostgres
from infra.postgres.log import LogSettings, PostgresLog
from infra.postgres.migrate import migrate
from infra.tokens.counter import O200kCounter
from processors.offline_reasoner import OfflineReasoner
from processors.summarize_session import SummarizeSession
from tests.processors.offline.utterances import rows
from tests.support.reactions import SAID_AT, Memory, deriving

MESSAGES = 3_000
SESSIONS = 20


@asynccontextmanager
async def fresh(address: ClusterAddress) -> AsyncIterator[tuple[Memory, asyncpg.Pool]]:
    """Open the log of a new database, and a pool for checkpoints."""
    name = f"bench_{uuid4().hex}"
    connection = await asyncpg.connect(address.dsn())
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    dsn = address.at(name).dsn()
    await migrate(dsn)
    settings = LogSettings(announces=False)
    async with (
        PostgresLog.open(dsn, MasterKey(os.urandom(32)), settings) as log,
        asyncpg.create_pool(dsn, min_size=1, max_size=3) as pool,
    ):
        yield Memory(log), pool


async def say(memory: Memory, texts: list[str], at_once: int, **options) -> None:
    """Say texts in requests of so many messages, spread over the sessions."""
    requests = [texts[n : n + at_once] for n in range(0, len(texts), at_once)]
    gate = asyncio.Semaphore(64)

    async def one(number: int, request: list[str]) -> None:
        async with gate:
            await memory.say(*request, session=f"s{number % SESSIONS}", **options)

    await asyncio.gather(*(one(n, r) for n, r in enumerate(requests)))


async def drain(feed: Feed) -> float:
    """Let a feed work until it stands at the end; how long that took."""
    started = time.perf_counter()
    while await feed.turn() is None:
        pass
    return time.perf_counter() - started


async def feed_of(memory: Memory, pool: asyncpg.Pool, processor) -> Feed:
    ledger = FeedLedger(pool, processor.name)
    await ledger.begin()
    return Feed(processor, memory.log.follow(), ledger)


async def throughput(address: ClusterAddress, texts: list[str], at_once: int) -> None:
    async with fresh(address) as (memory, pool):
        await say(memory, texts, at_once, short_every=20, long_every=60)
        tokens = O200kCounter()
        tokens.load()
        reasoner = OfflineReasoner(tokens)
        derive = await feed_of(memory, pool, deriving(memory, reasoner))
        took = await drain(derive)
        drawn = await memory.events(ConclusionDerived, ConclusionReinforced)
        print(
            f"{at_once:4} messages a request: derived {len(texts) / took:7.0f}"
            f" messages/s ({len(drawn)} conclusions)"
        )
        summarize = SummarizeSession(
            memory.decide,
            memory.log.store,
            reasoner,
            tokens=tokens,
            clock=lambda: SAID_AT,
        )
        took = await drain(await feed_of(memory, pool, summarize))
        print(f"{'':24} summed up {len(texts) / took:5.0f} messages/s")


async def latency(address: ClusterAddress, samples: int = 200) -> None:
    async with fresh(address) as (memory, pool):
        tokens = O200kCounter()
        processor = deriving(memory, OfflineReasoner(tokens))
        feed = await feed_of(memory, pool, processor)
        running = asyncio.create_task(feed.run())
        follower = memory.log.follow()
        waits = []
        position = 0
        for number in range(samples):
            started = time.perf_counter()
            await memory.say(f"I have {number + 2} cats.", session=f"s{number}")
            found = False
            while not found:
                await follower.wait_past(position, 1.0)
                for each in await follower.next_page(after=position, limit=500):
                    position = each.position
                    found |= isinstance(each.event, ConclusionDerived)
            waits.append((time.perf_counter() - started) * 1e3)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        waits.sort()
        median, late = statistics.median(waits), waits[int(samples * 0.95)]
        print(f"append to conclusion: median {median:.1f} ms, p95 {late:.1f} ms")


async def main() -> None:
    told = itertools.cycle(row.text for row in rows())
    texts = [text for text, _ in zip(told, range(MESSAGES), strict=False)]
    with tempfile.TemporaryDirectory(prefix="palimpsest-bench-") as folder:
        server = EmbeddedPostgres(Path(folder))
        try:
            address = await server.start()
            for at_once in (100, 10, 1):
                await throughput(address, texts, at_once)
            await latency(address)
        finally:
            await server.stop()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
