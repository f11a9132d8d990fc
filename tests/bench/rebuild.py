"""Rebuilds every view from a log of messages: ``python -m tests.bench.rebuild``.

Messages of about 20 words, in sessions of 200, go through the real appender, sealed,
into the embedded Postgres with its real settings. Every view is then folded from them,
indexes and all, first with nobody else there, then beside projectors, a writer and
readers that count their failures and how long each had to wait.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import msgspec
from rich.console import Console
from rich.table import Table

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.names import session_stream
from domain.recorded import Cause
from domain.session import MessageAdded
from infra.key_source import master_key_of
from infra.postgres.embedded import EmbeddedPostgres
from infra.postgres.log import LogSettings, PostgresLog
from infra.postgres.migrate import migrate
from infra.postgres.view_readers import open_view_readers
from infra.postgres.views import make_views
from infra.projector import Projector
from infra.rebuild.crew import Hands
from infra.rebuild.rebuild import rebuild
from infra.settings import Settings
from projections.registry import LAGGING, PROMPT
from tests.bench.projections import WORDS

EVERYTHING = (*PROMPT, *LAGGING)
SESSION = 200
CALLERS = 8
READERS = 8
START = datetime(2026, 1, 1, tzinfo=UTC)


def message(rng, session, seq):
    return MessageAdded(
        workspace="bench",
        session=session,
        id=uuid4().hex[:21],
        seq=seq,
        author=f"peer{rng.randrange(7)}",
        created_at=START + timedelta(seconds=seq),
        tokens=30,
        content=" ".join(
            rng.choice(WORDS) + rng.choice(["", "s", f"{rng.randrange(3000)}"])
            for _ in range(rng.randrange(10, 31))
        ),
    )


async def fill(log, count):
    """Append that many messages, a hundred in a request."""
    sessions = iter(range(count // SESSION))

    async def call(number):
        rng = random.Random(number)
        for n in sessions:
            for part in range(0, SESSION, 100):
                await say(log, rng, f"s{n}", part, 100)

    await asyncio.gather(*(call(n) for n in range(CALLERS)))


async def say(log, rng, session, after, count):
    events = tuple(message(rng, session, after + n + 1) for n in range(count))
    stream = session_stream("bench", session)
    cause = Cause(actor="bench", correlation_id=uuid4())
    request = AppendRequest("bench", (StreamAppend(stream, ANY, events),), cause)
    return (await log.store.append(request)).last


async def measured(dsn, data, log, **options):
    """Rebuild everything; report rate, and processor seconds of all that took part."""
    before = processor_seconds(data)
    report = await rebuild(dsn, log, EVERYTHING, hands=Hands(data), **options)
    return msgspec.to_builtins(report) | {
        "rate": report.events / report.seconds,
        "processor_seconds": {
            name: after - since
            for (name, since), after in zip(
                before.items(), processor_seconds(data).values(), strict=True
            )
        },
    }


def processor_seconds(data):
    """Of this process with its children, and of Postgres with its."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    (running,) = data.glob("*/postmaster.pid")
    pid = int(running.read_text().splitlines()[0])
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(stat.parent.name) == pid:  # with those that have ended
                ticks += sum(map(int, fields[11:15]))
            elif int(fields[1]) == pid:
                ticks += sum(map(int, fields[11:13]))
    return {
        "python": time.process_time() + children.ru_utime + children.ru_stime,
        "postgres": ticks / os.sysconf("SC_CLK_TCK"),
    }


class Reading:
    """Readers that ask all the time, as the server's questions do."""

    def __init__(self, pool, count):
        self._pool = pool
        self._count = count
        self.waits = []
        self.failures = []
        self._over = False

    async def run(self):
        await asyncio.gather(*(self._read(n) for n in range(READERS)))

    def stop(self):
        self._over = True

    async def _read(self, number):
        rng = random.Random(number)
        while not self._over:
            session = f"s{rng.randrange(self._count // SESSION)}"
            began = time.perf_counter()
            try:
                rows = await self._pool.fetch(
                    "SELECT id, content FROM message WHERE tenant = 'bench'"
                    " AND session = $1 ORDER BY seq DESC LIMIT 20",
                    session,
                )
                if not rows:
                    self.failures.append("nothing found")
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                self.failures.append(type(error).__name__)
            self.waits.append(time.perf_counter() - began)
            await asyncio.sleep(0)


async def beside_a_server(dsn, data, log, count):
    """The same while projectors follow a writer, and readers read."""
    prompt = Projector(dsn, log.store, log.subscription, PROMPT)
    lagging = Projector(dsn, log.store, log.subscription, LAGGING, follows=prompt)
    for projector in (prompt, lagging):
        await projector.start()
    over = asyncio.Event()
    written = 0

    async def write():
        nonlocal written
        rng = random.Random(0)
        while not over.is_set():
            position = await say(log, rng, "fresh", written, 1)
            await prompt.wait_for(position, 5.0)
            written += 1

    async with open_view_readers(dsn) as pool:
        reading = Reading(pool, count)
        others = [asyncio.create_task(write()), asyncio.create_task(reading.run())]
        found = await measured(dsn, data, log)
        over.set()
        reading.stop()
        await asyncio.gather(*others)
    for projector in (lagging, prompt):
        await projector.close()
    waits = sorted(reading.waits)
    return found | {
        "reads": len(waits),
        "failed_reads": len(reading.failures),
        "failures": sorted(set(reading.failures)),
        "longest_read_ms": waits[-1] * 1000,
        "p99_read_ms": waits[int(len(waits) * 0.99)] * 1000,
        "written": written,
    }


async def main(count):
    with tempfile.TemporaryDirectory(prefix="palimpsest-bench-") as folder:
        data = Path(folder) / "data"
        server = EmbeddedPostgres(data)
        dsn = (await server.start()).dsn()
        try:
            await migrate(dsn)
            key = master_key_of(data, Settings())
            async with PostgresLog.open(dsn, key, LogSettings(announces=False)) as log:
                began = time.perf_counter()
                await fill(log, count)
                filled = count / (time.perf_counter() - began)
                await make_views(dsn, EVERYTHING)
                return {
                    "events": count,
                    "appended": filled,
                    "alone": await measured(dsn, data, log),
                    "beside": await beside_a_server(dsn, data, log, count),
                }
        finally:
            await server.stop()


def show(result, console):
    table = Table("", "alone", "beside a server", title=f"{result['events']} messages")
    both = result["alone"], result["beside"]
    for name in ("rate", "seconds", "held_ms", "swap_ms", "attempts"):
        table.add_row(name, *(f"{each[name]:,.1f}" for each in both))
    for name in ("python", "postgres"):
        seconds = (each["processor_seconds"][name] for each in both)
        table.add_row(f"{name}, processor s", *(f"{each:,.1f}" for each in seconds))
    for name in dict.fromkeys([*both[0]["stages"], *both[1]["stages"]]):
        seconds = (each["stages"].get(name, 0.0) for each in both)
        table.add_row(f"stage {name}, s", *(f"{each:,.1f}" for each in seconds))
    table.add_row("differences", *(str(len(each["differences"])) for each in both))
    for name in ("reads", "failed_reads", "longest_read_ms", "p99_read_ms", "written"):
        table.add_row(name, "", f"{both[1][name]:,.1f}")
    console.print(table)
    console.print(f"appended before: {result['appended']:,.0f} messages/s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = asyncio.run(main(given.events))
    if given.json:
        print(json.dumps(found))
    else:
        show(found, Console(width=120))
