"""How fast views are folded: ``python -m tests.bench.projections [messages]``."""

import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg

from domain.embedding import Embedded, EmbeddingRecorded
from domain.recorded import Recorded
from domain.session import MessageAdded
from infra.postgres.embedded import EmbeddedPostgres
from infra.postgres.migrate import migrate
from infra.postgres.views import LIVE, analyze_views, connect_views, make_views
from infra.projector import Projector
from projections.registry import LAGGING, PROMPT
from tests.support.folding import fold
from tests.support.history import START, record

WORDS = [
    "time",
    "year",
    "people",
    "way",
    "day",
    "man",
    "thing",
    "woman",
    "life",
    "child",
    "world",
    "school",
    "state",
    "family",
    "student",
    "group",
    "country",
    "problem",
    "hand",
    "part",
    "place",
    "case",
    "week",
    "company",
    "system",
    "program",
    "question",
    "work",
    "government",
    "number",
    "night",
    "point",
    "home",
    "water",
    "room",
    "mother",
    "area",
    "money",
    "story",
    "fact",
    "month",
    "lot",
    "right",
    "study",
    "book",
    "eye",
    "job",
    "word",
    "business",
    "issue",
    "side",
    "kind",
    "head",
    "house",
    "service",
    "friend",
    "father",
    "power",
    "hour",
    "game",
    "line",
    "end",
    "member",
    "law",
    "car",
    "city",
    "name",
]


def messages(count: int, sessions: int = 50) -> list[Recorded]:
    """Messages of about 25 words, over so many sessions of one workspace."""
    rng = random.Random(1)
    return record(
        MessageAdded(
            workspace="w",
            session=f"s{n % sessions}",
            id=f"{n:021d}",
            seq=n // sessions + 1,
            author=f"peer{n % 7}",
            created_at=START,
            tokens=30,
            content=" ".join(
                rng.choice(WORDS) + rng.choice(["", "s", f"{rng.randrange(3000)}"])
                for _ in range(rng.randrange(5, 45))
            ),
        )
        for n in range(count)
    )


async def measure(dsn: str, count: int) -> None:
    """Fold the same messages in batches of 2,000 to 1, then each view alone."""
    events = messages(count)
    for size, many in ((2_000, count), (100, count), (10, count // 5), (1, 1_000)):
        await fresh(dsn)
        costs = await project(dsn, events[:many], size)
        rate = many / sum(costs) * 1000
        costs.sort()
        print(
            f"prompt, batches of {size:>5}: {rate:>8,.0f} messages/s;"
            f" a batch {statistics.median(costs):.2f} ms at the median,"
            f" {costs[int(len(costs) * 0.99)]:.2f} ms at 99 %"
        )
    await fresh(dsn)
    db = await connect_views(dsn)
    for view in (*PROMPT, *LAGGING):
        if MessageAdded not in view.handles:
            continue
        started = time.perf_counter()
        for at in range(0, count, 2_000):
            await fold(db, [view], events[at : at + 2_000])
            if at == 0:
                await analyze_views(db)
        rate = count / (time.perf_counter() - started)
        print(f"{view.name:>9} alone, of 2,000: {rate:>8,.0f} messages/s")
    await db.close()


async def measure_vectors(dsn: str, count: int = 3_000) -> None:
    """Fold vectors of 384 dimensions, 32 to an event, into HNSW indexes."""
    events = messages(count)
    await migrate(dsn)
    await fresh(dsn)
    db = await connect_views(dsn)
    rng = random.Random(2)
    await db.executemany(
        "INSERT INTO log.embedding (tenant, model, fingerprint, vector)"
        " VALUES ('w', 'bench', $1, $2)",
        [
            (str(n), array("f", (rng.gauss(0, 1) for _ in range(384))).tobytes())
            for n in range(count)
        ],
    )
    await fold(db, PROMPT, events)
    items = [Embedded("message", f"{n:021d}", str(n)) for n in range(count)]
    vectors = record(
        (
            EmbeddingRecorded(
                workspace="w",
                session="s",
                model="bench",
                dimensions=384,
                items=tuple(items[at : at + 32]),
            )
            for at in range(0, count, 32)
        ),
        after=count,
    )
    started = time.perf_counter()
    for each in vectors:
        await fold(db, LAGGING, [each])
    rate = count / (time.perf_counter() - started)
    print(f"  vectors into HNSW, 32 an event: {rate:,.0f} vectors/s")
    await db.close()


async def project(dsn: str, events: list[Recorded], size: int) -> list[float]:
    """Hand batches to a projector, each when the one before is shown; give the ms."""
    handed: asyncio.Queue[list[Recorded]] = asyncio.Queue()

    async def subscribe(_after: int) -> AsyncIterator[list[Recorded]]:
        while True:
            yield await handed.get()

    projector = Projector(dsn, Listed(events), subscribe, PROMPT)
    await projector.start()
    costs = []
    for at in range(0, len(events), size):
        batch = events[at : at + size]
        since = time.perf_counter()
        handed.put_nowait(batch)
        assert await projector.wait_for(batch[-1].position, 60.0)
        costs.append((time.perf_counter() - since) * 1000)
    await projector.close()
    return costs


@dataclass
class Listed:
    """A log that is a list."""

    events: list[Recorded]

    async def read_log(self, *, after: int, limit: int) -> list[Recorded]:
        return self.events[after : after + limit]

    async def id_at(self, position: int) -> UUID:
        return self.events[position - 1].id

    async def head(self) -> int:
        return len(self.events)


async def fresh(dsn: str) -> None:
    db = await asyncpg.connect(dsn)
    await db.execute(f"DROP SCHEMA IF EXISTS {LIVE} CASCADE")
    await db.close()
    await make_views(dsn, (*PROMPT, *LAGGING))


async def main(count: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="palimpsest-bench-"))
    server = EmbeddedPostgres(folder)
    try:
        dsn = (await server.start()).dsn()
        await measure(dsn, count)
        await measure_vectors(dsn)
    finally:
        await server.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
