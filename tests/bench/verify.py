"""How fast a log is verified: ``python -m tests.bench.verify``.

So many messages of 315 bytes, sealed, in sessions of 100; then the chain, the
signatures of 1,000 checkpoints, a sample of sessions folded again, everything folded
again, and orphans. Processor time is this process's, without that of Postgres.
"""

import argparse
import asyncio
import json
import os
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import asyncpg
import msgspec
from rich.console import Console
from rich.table import Table

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.names import session_stream
from infra.master_key import MasterKey
from infra.postgres.log import LogSettings, PostgresLog
from infra.postgres.migrate import migrate
from infra.postgres.signed_checkpoints import SignedCheckpoints
from infra.postgres.verify import verify_chain
from infra.postgres.views import connect_views, make_views
from infra.projector import Projector
from infra.proof.checkpoint import sign_ending
from infra.proof.history import check_kept
from infra.proof.orphans import count_orphans
from infra.proof.refold import open_refold
from infra.proof.signing_key import SigningKey
from projections.registry import LAGGING, PROMPT
from tests.bench.append import message, postgres
from tests.support.log import CAUSE

SESSION = 100
CHECKPOINTS = 1_000
ALL = (*PROMPT, *LAGGING)


async def fill(log, events):
    """Append sessions, ten under way at a time."""
    waiting = asyncio.Semaphore(10)

    async def one(number):
        name = f"s{number}"
        said = tuple(
            msgspec.structs.replace(message(name, seq), id=f"{number:011d}{seq:010d}")
            for seq in range(1, SESSION + 1)
        )
        append = StreamAppend(session_stream("bench", name), ANY, said)
        async with waiting:
            await log.store.append(AppendRequest("bench", (append,), CAUSE))

    async with asyncio.TaskGroup() as group:
        for number in range(events // SESSION):
            group.create_task(one(number))


async def show_views(dsn, log):
    await make_views(dsn, ALL)
    async with AsyncExitStack() as running:
        prompt = Projector(dsn, log.store, log.subscription, PROMPT)
        lagging = Projector(dsn, log.store, log.subscription, LAGGING, follows=prompt)
        for each in (prompt, lagging):
            await each.start()
            running.push_async_callback(each.close)
        await lagging.passed(await log.store.head())


async def sign_many(dsn, head):
    key = SigningKey(os.urandom(32))
    db = await asyncpg.connect(dsn)
    checkpoints = SignedCheckpoints(db)
    for number in range(CHECKPOINTS):
        position = max(1, head * number // CHECKPOINTS)
        ending = await checkpoints.ending(position)
        await checkpoints.put(sign_ending(ending, datetime.now(UTC), key))
    await db.close()


async def measure(name, work, count):
    wall, processor = time.perf_counter(), time.process_time()
    await work
    wall = time.perf_counter() - wall
    return {
        "what": name,
        "of": count,
        "seconds": round(wall, 3),
        "per_second": round(count / wall),
        "processor_seconds_here": round(time.process_time() - processor, 3),
    }


async def bench(events):
    async with postgres(None) as dsn:
        await migrate(dsn)
        chosen = LogSettings(announces=False)
        async with PostgresLog.open(dsn, MasterKey(os.urandom(32)), chosen) as log:
            await fill(log, events)
            await show_views(dsn, log)
            head = await log.store.head()
            await sign_many(dsn, head)
            db, views = await asyncpg.connect(dsn), await connect_views(dsn)
            await db.execute("VACUUM ANALYZE")
            await views.execute("SET enable_seqscan = on; SET plan_cache_mode = auto")

            async def sample():
                async with open_refold(dsn, ALL) as refold:
                    assert (await refold.sample(log.store, "", 20)).differences == []

            async def everything():
                async with open_refold(dsn, ALL) as refold:
                    assert (await refold.everything(log.store)).differences == []

            return [
                await measure("chain", verify_chain(db), head),
                await measure(
                    "checkpoints",
                    check_kept(SignedCheckpoints(db), head, None),
                    CHECKPOINTS,
                ),
                await measure("20 sessions", sample(), 20 * SESSION),
                await measure("everything", everything(), head),
                await measure("orphans", count_orphans(views), head),
            ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = asyncio.run(bench(arguments.events))
    if arguments.json:
        print(json.dumps(found))
        return
    table = Table(*found[0])
    for row in found:
        table.add_row(
            *(f"{value:,}" if value != row["what"] else value for value in row.values())
        )
    Console().print(table)


if __name__ == "__main__":
    main()
