"""Kill -9 of who counts the topic, at any moment: counted once, and as the log says."""

import asyncio
import json
import random
import time
from contextlib import contextmanager, suppress

import asyncpg
import pytest

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.names import session_stream
from tests.support.chronicle import ERASING
from tests.support.command import Shell
from tests.support.kafka import variables
from tests.support.log import CAUSE
from tests.support.relaying import relaying
from tests.support.rollups import counted, history, recounted

WITHIN = 90.0

pytestmark = pytest.mark.kafka


NAMED = {"kafka_bootstrap_servers", "kafka_topic", "kafka_group_prefix"}


@pytest.fixture
def shell(tmp_path, log_dsn, database, kafka_settings):
    """Commands of a deployment whose roll-ups have a database of their own."""
    settings = kafka_settings.model_dump(include=NAMED)
    return Shell(
        tmp_path,
        variables(settings)
        | {"DB_CONNECTION_URI": log_dsn, "ANALYTICS_CONNECTION_URI": database.dsn()},
    )


@pytest.mark.parametrize(
    ("kills", "choices"), [(2, 250), pytest.param(20, 4_000, marks=pytest.mark.long)]
)
async def test_killed_at_any_moment_it_counts_each_event_once(
    log_dsn, log, database, kafka_settings, shell, kills, choices
):
    chance = random.Random(kills)
    one, other = ([arbitrary(chance) for _ in range(choices)] for _ in range(2))
    # One workspace is never erased: next to nothing might be left to compare.
    events = history([each for each in one if each[0] not in ERASING], other)
    async with (
        relaying(log_dsn, log, kafka_settings) as relay,
        asyncpg.create_pool(database.dsn(), min_size=0, max_size=2) as pool,
    ):
        parts = cut(events, kills + 1)
        for part in parts:
            last = await append(log, part)
            behind = 0 if part is parts[-1] else len(part) // chance.randint(1, 9)
            await relay.until(last)
            with counting(shell) as process:
                await reached(pool, last - behind, process)
        records = await log.store.read_log(after=0, limit=2_000)
        while len(records) < last:
            records += await log.store.read_log(after=len(records), limit=2_000)
        wanted = recounted((each.event, each.recorded_at) for each in records)
        assert await counted(pool) == wanted
        await asyncio.to_thread(counts_anew, shell)
        assert await counted(pool) == wanted
    await asyncio.to_thread(shows_the_same, shell, wanted)


def arbitrary(chance):
    return (
        chance.randrange(26),
        chance.randrange(2),
        chance.randrange(3),
        chance.randrange(20),
    )


def cut(events, count):
    size = -(-len(events) // count)
    return [events[first : first + size] for first in range(0, len(events), size)]


async def append(log, events):
    """Append events in their order, each to a stream of its session."""
    last = 0
    for event in events:
        session = getattr(event, "session", None) or "none"
        stream = session_stream(event.workspace, session)
        append = StreamAppend(stream, ANY, (event,))
        done = await log.store.append(AppendRequest(event.workspace, (append,), CAUSE))
        last = done.last
    return last


@contextmanager
def counting(shell):
    """Somebody who counts, until killed; what it said is told where it fails."""
    process = shell.start("analytics", "run")
    try:
        yield process
    except BaseException as error:
        process.kill()
        error.add_note(process.communicate()[1][-4_000:])
        raise
    process.kill()
    process.communicate()


async def reached(pool, position, process):
    """Wait until it is counted that far."""
    deadline = time.monotonic() + WITHIN
    found = 0
    while found < position:
        assert process.poll() is None
        assert time.monotonic() < deadline, (found, position)
        with suppress(asyncpg.UndefinedTableError):
            found = await pool.fetchval("SELECT position FROM analytics.progress")
        await asyncio.sleep(0.01)


def counts_anew(shell):
    """Everything is forgotten, and counted once more up to the end of the topic."""
    folder = str(shell.folder / "days")
    for words in (["rebuild"], ["run", "--once", "--parquet", folder]):
        ended = shell.run("analytics", *words)
        assert ended.code == 0, ended


def shows_the_same(shell, wanted):
    """What is shown and exported is what was counted."""
    ended = shell.run("analytics", "show", "--json")
    assert ended.code == 0, ended
    told = {each["workspace"]: each for each in json.loads(ended.out)["days"]}
    said = {key[1]: each for key, each in wanted.items() if key[0] == "activity"}
    assert {name: each["messages"] for name, each in told.items()} == {
        name: each.get("messages", 0) for name, each in said.items()
    }
    ended = shell.run("analytics", "export", "--out", str(shell.folder / "days"))
    assert ended.code == 0, ended
    assert len(list((shell.folder / "days").rglob("*.parquet"))) == 4
    assert "counted up to position" in shell.run("analytics", "show").out
