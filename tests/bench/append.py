"""Appends a second straight into the appender: ``python tests/bench/append.py``.

Callers each wait for their own append before the next, as requests do; every event
is 315 bytes of JSON, sealed, on the embedded Postgres with its real settings. With
``--dsn`` an empty database of your own is used instead; ``--old-snapshot`` shows
that a long backup does not slow appends.
"""

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import shutil
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import asyncpg
import msgspec
from rich.console import Console
from rich.table import Table

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.names import session_stream
from domain.recorded import Cause
from domain.session import MessageAdded
from infra.master_key import MasterKey
from infra.postgres.embedded import EmbeddedPostgres
from infra.postgres.log import PostgresLog
from infra.postgres.migrate import migrate

PAYLOAD = 315
CASES = ((1, 1), (64, 1), (256, 1), (64, 10))


def message(session, seq):
    """Make a message event that is ``PAYLOAD`` bytes of JSON."""
    event = MessageAdded(
        workspace="bench",
        session=session,
        id=f"{seq:021d}",
        seq=seq,
        author="alice",
        created_at=datetime.now(UTC),
        tokens=20,
        content="",
    )
    room = PAYLOAD - len(msgspec.json.encode(event))
    return msgspec.structs.replace(event, content="x" * room)


async def call(store, caller, size, until):
    session = f"{uuid4().hex}-{caller}"
    stream = session_stream("bench", session)
    cause = Cause(actor="client", correlation_id=uuid4())
    seq = 0
    while time.perf_counter() < until:
        events = tuple(message(session, seq + n) for n in range(size))
        seq += size
        await store.append(
            AppendRequest("bench", (StreamAppend(stream, ANY, events),), cause)
        )
    return seq


async def measure(log, callers, size, seconds):
    async with asyncio.TaskGroup() as group:  # warm: keys, plans, sessions' first
        for caller in range(callers):
            group.create_task(call(log.store, caller, size, time.perf_counter() + 0.5))
    start = time.perf_counter()
    tasks = [
        asyncio.create_task(call(log.store, caller, size, start + seconds))
        for caller in range(callers)
    ]
    events = sum(await asyncio.gather(*tasks))
    return {
        "callers": callers,
        "events_per_append": size,
        "appends_per_second": round(events / size / (time.perf_counter() - start)),
        "events_per_second": round(events / (time.perf_counter() - start)),
    }


@asynccontextmanager
async def postgres(dsn):
    if dsn:
        yield dsn
        return
    folder = Path(tempfile.mkdtemp(prefix="palimpsest-bench-"))
    server = EmbeddedPostgres(folder)
    try:
        yield (await server.start()).dsn()
    finally:
        await server.stop()
        shutil.rmtree(folder)


@asynccontextmanager
async def old_snapshot(dsn):
    """Hold a snapshot from before the first append, as a backup does."""
    if dsn is None:
        yield
        return
    connection = await asyncpg.connect(dsn)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.fetchval("SELECT count(*) FROM log.event")
        yield
    await connection.close()


async def bench(arguments):
    async with postgres(arguments.dsn) as dsn:
        await migrate(dsn)
        async with (
            old_snapshot(dsn if arguments.old_snapshot else None),
            PostgresLog.open(dsn, MasterKey(os.urandom(32))) as log,
        ):
            return [
                await measure(log, callers, size, arguments.seconds)
                for callers, size in CASES
                if arguments.callers in {None, callers}
            ]


def show(results):
    table = Table("callers", "events each", "appends/s", "events/s")
    for row in results:
        table.add_row(*(f"{value:,}" for value in row.values()))
    Console().print(table)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dsn", help="an empty database instead of the embedded one")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--callers", type=int, help="only the cases of so many callers")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--old-snapshot", action="store_true")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--uvloop", action="store_true")
    arguments = parser.parse_args()
    profile = cProfile.Profile() if arguments.profile else None
    if profile:
        profile.enable()
    if arguments.uvloop:
        import uvloop  # noqa: PLC0415  only when asked for

        results = uvloop.run(bench(arguments))
    else:
        results = asyncio.run(bench(arguments))
    if profile:
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(35)
    if arguments.json:
        print(json.dumps(results))
    else:
        show(results)


if __name__ == "__main__":
    main()
