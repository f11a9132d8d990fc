"""Views follow the log: at once, in order, once, through losses and beside rivals."""

import asyncio
import random
from array import array

import asyncpg
import pytest

from domain.embedding import Embedded, EmbeddingRecorded
from infra.fold_failure import Failure
from infra.postgres.checkpoints import LogDiverged
from infra.postgres.views import LIVE, ViewsNewer, connect_views, make_views
from infra.rebuild.rebuild import rebuild
from infra.rebuild.report import RebuildFailed
from projections.messages import Messages
from projections.registry import LAGGING, PROMPT
from projections.vectors import vector_table
from projections.workspaces import Workspaces
from tests.support.chronicle import KINDS, Chronicle
from tests.support.law import assert_rebuilt_equals_live
from tests.support.log import said
from tests.support.projecting import append, projecting, projector

ALL = (*PROMPT, *LAGGING)

BOUND = 60.0
"""Seconds within which views follow even on a machine that has other things to do."""


def history(seed, length=120):
    rng = random.Random(seed)
    choices = [
        (rng.randrange(KINDS), rng.randrange(2), rng.randrange(3), rng.randrange(21))
        for _ in range(length)
    ]
    return Chronicle().happen(choices)


async def until(condition, bound=60.0):
    async with asyncio.timeout(bound):
        while not condition():  # noqa: ASYNC110  a bounded wait for a state
            await asyncio.sleep(0.005)


async def test_what_was_waited_for_can_be_read(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, _):
        db = await connect_views(log_dsn)
        for n in range(1, 20):
            position = await append(log, [said(f"hello {n}", seq=n)])
            assert await prompt.wait_for(position, BOUND)
            shown = "SELECT EXISTS (SELECT FROM message WHERE id = $1)"
            assert await db.fetchval(shown, f"{n:021d}")
        await db.close()
        await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_rebuilt_equals_live_whatever_happened_and_across_restarts(log, log_dsn):
    events = history(1)
    third = len(events) // 3
    for part in (events[:third], events[third : 2 * third], events[2 * third :]):
        async with projecting(log, log_dsn) as (prompt, lagging):
            for event in part:
                last = await append(log, [event])
            assert await prompt.wait_for(last, BOUND)
            assert await lagging.wait_for(last, BOUND)
    await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_the_law_notices_a_row_that_is_wrong_missing_or_too_many(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, _):
        last = await append(log, history(2, 60))
        assert await prompt.wait_for(last, BOUND)
        await assert_rebuilt_equals_live(log_dsn, log.store)
        db = await connect_views(log_dsn)
        for harm in (
            "UPDATE message SET metadata = '{\"x\": 1}' WHERE seq = 1",
            "DELETE FROM peer WHERE to_position IS NULL AND peer = 'alice'",
            "INSERT INTO corpus VALUES ('other', 1, 1, 1)",
            "UPDATE progress SET total = total + 1",
        ):
            transaction = db.transaction()
            await transaction.start()
            assert await db.execute(harm) != "UPDATE 0"
            await transaction.commit()
            with pytest.raises(AssertionError):
                await assert_rebuilt_equals_live(log_dsn, log.store)
            await rebuild(log_dsn, log, ALL)
            await assert_rebuilt_equals_live(log_dsn, log.store)
        await db.close()


async def test_a_lost_connection_neither_loses_nor_doubles(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, lagging):
        stop = asyncio.Event()

        async def cut_connections():
            db = await asyncpg.connect(log_dsn)
            while not stop.is_set():
                await db.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'palimpsest-view'"
                    " AND datname = current_database()"
                )
                await asyncio.sleep(0.02)
            await db.close()

        cutting = asyncio.create_task(cut_connections())
        for event in history(3, 150):
            last = await append(log, [event])
        stop.set()
        await cutting
        assert await prompt.wait_for(last, BOUND)
        assert await lagging.wait_for(last, BOUND)
        assert prompt.failed is None
    await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_views_wait_for_those_they_read_when_a_crash_set_them_back(log, log_dsn):
    assert await make_views(log_dsn, ALL) == []
    prompt = projector(log, log_dsn)
    await prompt.start()
    last = await append(log, [said(f"hello {n}", seq=n) for n in range(1, 20)])
    assert await prompt.wait_for(last, BOUND)
    await prompt.close()
    db = await connect_views(log_dsn)
    await db.execute(f"DROP SCHEMA {LIVE} CASCADE")  # it only remembers being ahead
    await db.close()
    await make_views(log_dsn, ALL)

    lagging = projector(log, log_dsn, LAGGING, follows=prompt)
    await lagging.start()
    assert not await lagging.wait_for(last, 0.3)
    again = projector(log, log_dsn)
    await again.start()
    assert await lagging.wait_for(last, BOUND)
    await lagging.close()
    await again.close()
    await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_two_runners_of_one_group_count_nothing_twice(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, _):
        rival = projector(log, log_dsn)
        await rival.start()
        for event in history(4, 150):
            last = await append(log, [event])
        assert await prompt.wait_for(last, BOUND)
        assert await rival.wait_for(last, BOUND)
        await rival.close()
    async with projecting(log, log_dsn) as (_, lagging):
        assert await lagging.wait_for(last, BOUND)
    await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_vectors_are_the_same_after_a_rebuild(log, log_dsn):
    model, numbers = "all-MiniLM-L6-v2-int8", array("f", range(8))
    async with projecting(log, log_dsn) as (_, lagging):
        for n in range(1, 30):
            await append(log, [said(f"tea {n}", seq=n)])
            numbers[n % 8] += 0.3
            stored = {f"f{n}": numbers.tobytes()}
            await log.embeddings.put_many("team", model, stored)
            items = (
                Embedded("message", f"{n:021d}", f"f{n}"),
                Embedded("conclusion", f"c{n}", f"f{n}"),
            )
            event = EmbeddingRecorded(
                workspace="team", session="s", model=model, dimensions=8, items=items
            )
            last = await append(log, [event])
        assert await lagging.wait_for(last, BOUND)
        await assert_rebuilt_equals_live(log_dsn, log.store)
    await rebuild(log_dsn, log, ALL)
    db = await connect_views(log_dsn)
    for kind in ("message", "conclusion"):
        table = vector_table(kind, model, 8)
        assert await db.fetchval(f"SELECT count(*) FROM {table}") == 29  # noqa: S608
        near = await db.fetchval("SELECT to_regclass($1)", f"{table}_near")
        assert (near is not None) == (kind == "message")
    await db.close()


class Fragile(Messages):
    """Refuses one message for as long as it is broken."""

    broken = True

    async def apply(self, db, batch):
        if self.broken and any(each.event.content == "poison" for each in batch):
            raise ValueError("the content would stand here")
        await super().apply(db, batch)


async def test_a_projection_that_fails_stops_there_says_so_and_goes_on_later(
    log, log_dsn, caplog
):
    fragile = Fragile()
    views = [Workspaces(), fragile]
    await make_views(log_dsn, views)
    contents = [*(f"m{n}" for n in range(40)), "poison", "after"]
    last = await append(
        log, [said(content, seq=n) for n, content in enumerate(contents, 1)]
    )
    running = projector(log, log_dsn, views)
    await running.start()
    waiting = asyncio.create_task(running.wait_for(last, 30.0))
    await until(lambda: running.failed is not None)
    assert running.failed == Failure("messages", 41, "message-added", "ValueError")
    assert await running.wait_for(40, BOUND)
    assert not await running.wait_for(last, 5.0)
    assert "position 41" in caplog.text
    assert "the content" not in caplog.text
    fragile.broken = False
    assert await waiting
    assert running.failed is None
    await running.close()
    await assert_rebuilt_equals_live(log_dsn, log.store, views)


async def test_a_wait_ends_at_its_bound(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, _):
        assert not await prompt.wait_for(10**6, 0.01)
        last = await append(log, [said("late")])
        assert await prompt.wait_for(last, BOUND)


async def test_the_lagging_group_never_gets_ahead_of_the_prompt_one(log, log_dsn):
    await make_views(log_dsn, ALL)
    prompt = projector(log, log_dsn)
    lagging = projector(log, log_dsn, LAGGING, follows=prompt)
    await lagging.start()
    last = await append(log, [said("tea")])
    assert not await lagging.wait_for(last, 0.1)
    await prompt.start()
    assert await lagging.wait_for(last, BOUND)
    await lagging.close()
    await prompt.close()
    await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_views_of_another_log_are_refused(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, _):
        assert await prompt.wait_for(await append(log, [said("one")]), BOUND)
    db = await connect_views(log_dsn)
    for harm in ("event = gen_random_uuid()", "position = 9"):
        await db.execute(f"UPDATE checkpoint SET {harm}")  # noqa: S608  ours
        with pytest.raises(LogDiverged):
            await projector(log, log_dsn).start()
    await db.close()


async def test_views_of_another_version_are_rebuilt_or_refused(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, _):
        assert await prompt.wait_for(await append(log, history(5, 60)), BOUND)

    class Newer(Messages):
        version = Messages.version + 1
        tables = Messages.tables + "ALTER TABLE message ADD COLUMN length integer;"

    newer = tuple(Newer() if each.name == "messages" else each for each in ALL)
    assert await make_views(log_dsn, newer) == ["messages"]
    seen = []
    report = await rebuild(log_dsn, log, newer, told=seen.append)
    folded = [each for each in seen if each.stage == "views"][-1]
    assert report.events == folded.position == folded.head == await log.store.head()
    assert folded.remaining == 0
    assert await make_views(log_dsn, newer) == []
    with pytest.raises(ViewsNewer):
        await make_views(log_dsn, ALL)


async def test_a_projection_added_later_catches_up_alone(log, log_dsn):
    fewer = [each for each in PROMPT if each.name not in ("cards", "progress")]
    await make_views(log_dsn, fewer)
    first = projector(log, log_dsn, fewer)
    await first.start()
    assert await first.wait_for(await append(log, history(6)), BOUND)
    await first.close()
    async with projecting(log, log_dsn) as (prompt, _):
        assert await prompt.wait_for(await log.store.head(), BOUND)
    async with projecting(log, log_dsn) as (_, lagging):
        assert await lagging.wait_for(await log.store.head(), BOUND)
    await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_a_broken_off_rebuild_leaves_the_live_views_as_they_are(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, lagging):
        last = await append(log, [said("tea")])
        assert await prompt.wait_for(last, BOUND)
        assert await lagging.wait_for(last, BOUND)

    class Broken(Messages):
        async def apply(self, db, batch):
            raise ValueError(db, batch)

    with pytest.raises(RebuildFailed) as failed:
        await rebuild(log_dsn, log, [Broken()])
    assert failed.value.failures == (
        Failure("messages", 1, "message-added", "ValueError"),
    )
    await assert_rebuilt_equals_live(log_dsn, log.store)
    await rebuild(log_dsn, log, ALL)
    await assert_rebuilt_equals_live(log_dsn, log.store)
    db = await connect_views(log_dsn)
    assert (
        await db.fetchval(
            "SELECT count(*) FROM pg_indexes WHERE schemaname = 'view'"
            " AND indexname IN ('message_words', 'peer_current')"
        )
        == 2
    )
    await db.close()
