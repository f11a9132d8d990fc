import asyncio
import shutil
import tempfile
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from commands.ports import (
    CommandIdentity,
    EventStoreError,
    KeyReused,
    WrongExpectedVersion,
)
from infra.postgres import appender
from infra.postgres.log import PostgresLog
from infra.postgres.verify import verify_chain
from tests.support.cut import wired
from tests.support.log import request, stream_of


@pytest.fixture
def short_folder():
    folder = Path(tempfile.mkdtemp(prefix="cut-"))  # a socket's path is short
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def wire_and_log(log_dsn, master_key, short_folder):
    async with (
        wired(log_dsn, short_folder) as (wire, dsn),
        PostgresLog.open(dsn, master_key) as log,
    ):
        await log.store.append(request("s"))  # the keys are made, the call prepared
        yield wire, log


async def test_an_append_that_never_arrived_is_sent_again(wire_and_log):
    wire, log = wire_and_log
    wire.cut = "request"
    appended = await log.store.append(request("s"))
    assert wire.cuts == 1
    assert (appended.first, appended.replayed) == (2, False)
    assert await log.store.head() == 2


async def test_an_append_whose_answer_was_lost_is_not_written_twice(wire_and_log):
    wire, log = wire_and_log
    wire.cut = "answer"
    appended = await log.store.append(request("s", "t", size=2))
    assert wire.cuts == 1
    assert not appended.replayed
    assert await log.store.head() == 5
    assert tuple(await log.store.read_log(after=1, limit=9)) == appended.recorded


async def test_an_append_the_server_still_holds_is_ended_before_another(
    wire_and_log, log_dsn
):
    wire, log = wire_and_log
    other = await asyncpg.connect(log_dsn)
    await other.execute("SELECT pg_advisory_lock(7700100)")
    wire.cut = "wait"
    appending = log.store.submit(request("s"))
    async with asyncio.timeout(60):
        while not wire.cuts:  # noqa: ASYNC110  the wire has no voice
            await asyncio.sleep(0.005)
    await other.execute("SELECT pg_advisory_unlock(7700100)")
    appended = await appending
    await other.close()
    assert (appended.first, await log.store.head()) == (2, 2)


async def test_every_request_of_a_lost_batch_gets_its_own_answer(wire_and_log, log_dsn):
    wire, log = wire_and_log
    done, reused = CommandIdentity(uuid4(), b"1"), CommandIdentity(uuid4(), b"1")
    for command in (done, reused):
        await log.store.append(request("s", command=command))
    wire.cut = "answer"
    answers = await asyncio.gather(
        log.store.submit(request("s")),
        log.store.submit(request("stale", "s", expected=7)),
        log.store.submit(request("a", "b", expected=0, size=2)),
        log.store.submit(request("s", command=done)),
        log.store.submit(request("s", command=CommandIdentity(reused.id, b"2"))),
        log.store.submit(request("c", command=CommandIdentity(uuid4(), b"3"))),
        return_exceptions=True,
    )
    assert wire.cuts == 1
    fresh, stale, several, again, other_hash, new = answers
    assert isinstance(stale, WrongExpectedVersion)
    assert isinstance(other_hash, KeyReused)
    assert again.replayed
    assert again.first == 2
    assert [each.replayed for each in (fresh, several, new)] == [False] * 3
    recorded = [*fresh.recorded, *several.recorded, *new.recorded]
    assert sorted(recorded, key=lambda e: e.position) == list(
        await log.store.read_log(after=3, limit=100)
    )
    async with asyncpg.create_pool(log_dsn, min_size=1, max_size=1) as pool:
        assert (await verify_chain(pool)).broken is None


async def test_appends_under_way_survive_cut_after_cut(wire_and_log):
    wire, log = wire_and_log
    cuts = ("answer", "request", "wait", "answer")
    answers = []
    for cut in cuts:
        wire.cut = cut
        answers += await asyncio.gather(
            *(log.store.append(request("s")) for _ in range(40))
        )
    assert wire.cuts == len(cuts)
    assert sorted(each.first for each in answers) == list(range(2, 162))
    versions = [e.version for e in await log.store.read_stream(stream_of("s").name)]
    assert versions == list(range(1, 162))


async def test_closing_without_a_database_is_bounded(
    log_dsn, master_key, short_folder, monkeypatch
):
    monkeypatch.setattr(appender, "CLOSING", 0.2)
    async with (
        asyncio.timeout(60),
        wired(log_dsn, short_folder) as (wire, dsn),
        PostgresLog.open(dsn, master_key) as log,
    ):
        await log.store.append(request("s"))
        wire.refuses = True
        lost = log.store.submit(request("s"))
    with pytest.raises(EventStoreError):
        await lost


async def test_a_subscription_waits_for_the_database_to_come_back(wire_and_log):
    wire, log = wire_and_log
    batches = aiter(log.subscription(1, poll=0.01))
    following = asyncio.ensure_future(anext(batches))
    wire.refuses = True
    wire.drop()
    async with asyncio.timeout(60):
        while wire.refused < 3:  # noqa: ASYNC110  the wire has no voice
            await asyncio.sleep(0.005)
        wire.refuses = False
        await log.store.append(request("s"))
        assert [each.position for each in await following] == [2]
    await batches.aclose()
