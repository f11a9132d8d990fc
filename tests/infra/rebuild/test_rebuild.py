"""A rebuild beside projectors, writers and readers: nobody notices, nothing is lost."""

import asyncio
import random

import asyncpg
import msgspec
import pytest

from domain.card import CardReplacedByOwner
from infra.fold_failure import Failure
from infra.postgres.view_readers import open_view_readers
from infra.postgres.views import connect_views, drifted_views, make_views
from infra.rebuild import lanes, swap
from infra.rebuild.drift import make_current
from infra.rebuild.plan import NoSuchProjection
from infra.rebuild.rebuild import rebuild
from infra.rebuild.report import (
    Progress,
    RebuildFailed,
    RebuildUnderWay,
    ViewsDrifted,
)
from projections.messages import Messages
from projections.registry import LAGGING, PROMPT
from tests.infra.rebuild.test_long_read import STANDS, TRIES, until
from tests.infra.test_projector import history
from tests.support.law import assert_rebuilt_equals_live
from tests.support.log import said
from tests.support.projecting import append, projecting

ALL = (*PROMPT, *LAGGING)
WRITERS = 64
READERS = 6

QUESTIONS = (
    "SELECT id, content, metadata FROM message WHERE tenant = 'team' AND seq <= $1",
    "SELECT m.id FROM message AS m JOIN corpus AS c USING (tenant) LIMIT $1",
    """SELECT c.id, e.message FROM conclusion AS c LEFT JOIN evidence AS e
    ON e.tenant = c.tenant AND e.conclusion = c.origin LIMIT $1""",
    "SELECT peer, metadata FROM peer WHERE to_position IS NULL LIMIT $1",
)


class Around:
    """Writers, each waiting until what it wrote is shown, and readers, until told."""

    def __init__(self, log, prompt, pool):
        self._log, self._prompt, self._pool = log, prompt, pool
        self._over = False
        self.written = 0
        self.reads = 0
        self.missed = []

    async def __aenter__(self):
        self._tasks = [
            *(asyncio.ensure_future(self._write(n)) for n in range(WRITERS)),
            *(asyncio.ensure_future(self._read(n)) for n in range(READERS)),
        ]
        return self

    async def __aexit__(self, *_):
        self._over = True
        await asyncio.gather(*self._tasks)

    async def _write(self, number):
        seq = 0
        while not self._over:
            seq += 1
            event = said(f"hello {number} {seq}", session=f"w{number}", seq=seq)
            event = msgspec.structs.replace(event, id=f"{number}-{seq}")
            position = await append(self._log, [event])
            assert await self._prompt.wait_for(position, 60)
            found = await self._pool.fetchval(
                "SELECT count(*) FROM message WHERE tenant = 'team' AND session = $1",
                f"w{number}",
            )
            if found != seq:
                self.missed.append((number, seq, found))
            self.written += 1

    async def _read(self, number):
        rng = random.Random(number)
        while not self._over:
            await self._pool.fetch(rng.choice(QUESTIONS), rng.randrange(1, 30))
            self.reads += 1
            await asyncio.sleep(0)


async def test_nobody_notices_and_the_law_holds(log, log_dsn):
    """No read fails, every write is read at once, and the projectors go on."""
    async with (
        projecting(log, log_dsn) as (prompt, lagging),
        open_view_readers(log_dsn) as pool,
    ):
        await append(log, history(11))
        async with Around(log, prompt, pool) as around:
            for names in (None, ["messages"], ["conclusions", "vectors"], None):
                before = around.written, around.reads
                report = await rebuild(log_dsn, log, ALL, names)
                assert report.differences == ()
                assert around.written > before[0]
                assert around.reads > before[1]
        assert around.missed == []
        assert prompt.failed is lagging.failed is None
        assert await lagging.wait_for(await log.store.head(), 60)
        await assert_rebuilt_equals_live(log_dsn, log.store)
        assert await leftovers(log_dsn) == []


async def leftovers(dsn):
    db = await asyncpg.connect(dsn)
    rows = await db.fetch(
        "SELECT nspname FROM pg_namespace"
        " WHERE nspname IN ('view_rebuild', 'view_former')"
    )
    await db.close()
    return rows


async def test_readers_of_the_other_role_may_read_the_new_tables(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, _):
        assert await prompt.wait_for(await append(log, history(12)), 60)
    await rebuild(log_dsn, log, ALL)
    db = await asyncpg.connect(log_dsn)
    unreadable = await db.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'view'::regnamespace"
        " AND relkind = 'r'"
        " AND NOT has_table_privilege('palimpsest_app', oid, 'SELECT')"
    )
    await db.close()
    assert unreadable == []


async def test_it_goes_on_where_it_was_unless_the_code_has_changed(
    log, log_dsn, monkeypatch
):
    async with projecting(log, log_dsn) as (prompt, lagging):
        last = await append(log, [said(f"tea {n}", seq=n) for n in range(1, 60)])
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)

    async def gives_up(*_):
        raise ConnectionError

    with monkeypatch.context() as broken:
        broken.setattr("infra.rebuild.folding.put_back", gives_up)
        with pytest.raises(ConnectionError):
            await rebuild(log_dsn, log, ALL)
    assert (await rebuild(log_dsn, log, ALL)).resumed > 0
    await assert_rebuilt_equals_live(log_dsn, log.store)
    for fresh, other in ((True, False), (False, True)):
        with monkeypatch.context() as broken:
            broken.setattr("infra.rebuild.folding.put_back", gives_up)
            with pytest.raises(ConnectionError):
                await rebuild(log_dsn, log, ALL)
        with monkeypatch.context() as changed:
            if other:
                changed.setattr("infra.rebuild.plan.code_of", lambda each: each.name)
            assert (await rebuild(log_dsn, log, ALL, fresh=fresh)).resumed == 0
    await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_only_one_at_a_time(log, log_dsn, monkeypatch):
    """While one stands still, others are refused; what they began is nothing."""
    await make_views(log_dsn, ALL)
    last = await append(log, history(13))
    stands, goes = asyncio.Event(), asyncio.Event()

    async def stand_still(_):
        stands.set()
        await goes.wait()

    monkeypatch.setattr("infra.rebuild.folding.put_back", stand_still)
    first = asyncio.create_task(rebuild(log_dsn, log, ALL))
    async with asyncio.timeout(60):
        await stands.wait()
    found = await asyncio.gather(
        *(rebuild(log_dsn, log, ALL) for _ in range(2)), return_exceptions=True
    )
    assert [type(each) for each in found] == [RebuildUnderWay] * 2, found
    goes.set()
    assert (await first).events == last


class Broken(Messages):
    """Cannot fold some of what is said."""

    async def apply(self, db, batch):
        for each in batch:
            if getattr(each.event, "content", "").startswith("poison"):
                raise ValueError("the content would stand here")
        await super().apply(db, batch)


async def test_all_that_cannot_be_folded_is_listed_and_nothing_changes(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, lagging):
        contents = ["tea", "poison 1", "milk", "poison 2"]
        last = await append(
            log, [said(content, seq=n) for n, content in enumerate(contents, 1)]
        )
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
        broken = tuple(Broken() if e.name == "messages" else e for e in ALL)
        with pytest.raises(RebuildFailed) as failed:
            await rebuild(log_dsn, log, broken, ["messages"])
        assert failed.value.failures == tuple(
            Failure("messages", n, "message-added", "ValueError") for n in (2, 4)
        )
        assert "the content" not in str(failed.value)
        await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_what_other_code_folded_is_folded_anew_or_refused(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, lagging):
        last = await append(log, history(14))
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
    db = await connect_views(log_dsn)
    await db.execute("UPDATE checkpoint SET code = '' WHERE projection = 'members'")
    await db.execute("UPDATE member SET active = NOT active")
    assert await drifted_views(db, ALL) == ["members"]
    with pytest.raises(ViewsDrifted, match="palimpsest rebuild members"):
        await make_current(log_dsn, log, ALL, None, "refuse")
    assert await drifted_views(db, ALL) == ["members"]
    await make_current(log_dsn, log, ALL, None, "rebuild")
    assert await drifted_views(db, ALL) == []
    await db.close()
    await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_what_reads_a_view_of_changed_code_is_folded_anew_with_it(log, log_dsn):
    await make_views(log_dsn, ALL)
    assert (await rebuild(log_dsn, log, ALL, ["members"])).added == ()
    db = await connect_views(log_dsn)
    await db.execute("UPDATE checkpoint SET code = '' WHERE projection = 'members'")
    await db.close()
    assert "conclusions" in (await rebuild(log_dsn, log, ALL, ["members"])).added
    with pytest.raises(NoSuchProjection, match="nothing"):
        await rebuild(log_dsn, log, ALL, ["nothing"])


async def test_views_of_before_there_were_codes_are_folded_anew(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, lagging):
        last = await append(log, history(15))
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
    db = await connect_views(log_dsn)
    await db.execute("ALTER TABLE checkpoint DROP COLUMN code, DROP COLUMN tables")
    await db.close()
    assert await make_views(log_dsn, ALL) == [each.name for each in ALL]
    await make_current(log_dsn, log, ALL, None, "rebuild")
    assert await make_views(log_dsn, ALL) == []
    await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_views_of_another_log_are_mended_whatever_is_named(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, lagging):
        last = await append(log, history(16))
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
    db = await connect_views(log_dsn)
    await db.execute("UPDATE checkpoint SET event = gen_random_uuid(), position = 999")
    await db.close()
    report = await rebuild(log_dsn, log, ALL, ["cards"])
    assert set(report.projections) == {each.name for each in ALL}
    await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_what_is_wrong_is_told_and_put_right(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, lagging):
        card = CardReplacedByOwner(
            workspace="team", observer="a", observed="b", entries=("x",)
        )
        last = await append(log, [card, *(said(f"t {n}", seq=n) for n in range(1, 9))])
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
    db = await connect_views(log_dsn)
    await db.execute("UPDATE card SET lines = '[]'")
    await db.execute("DELETE FROM message WHERE seq = 3")
    await db.close()
    report = await rebuild(log_dsn, log, ALL)
    assert {each.table: each.found for each in report.differences} == {
        "card": "1 rows differ",
        "message": "7 rows instead of 8",
    }
    await assert_rebuilt_equals_live(log_dsn, log.store)


async def test_it_waits_for_a_long_read_without_keeping_others_waiting(
    log, log_dsn, monkeypatch
):
    monkeypatch.setattr(swap, "READERS_WAIT", 20)
    db = await connect_views(log_dsn)
    async with projecting(log, log_dsn) as (prompt, _):
        assert await prompt.wait_for(await append(log, [said("tea")]), 60)
        async with open_view_readers(log_dsn) as pool:
            async with pool.acquire() as long, long.transaction():
                await long.fetch("SELECT id FROM message")
                running = asyncio.ensure_future(rebuild(log_dsn, log, ALL))
                await until(db, TRIES, True)
                async with asyncio.timeout(60):
                    assert len(await pool.fetch("SELECT id FROM message")) == 1
                    position = await append(log, [said("milk", seq=2)])
                    assert await prompt.wait_for(position, 60)
                await until(db, STANDS, position)
                assert not running.done()
            assert (await running).attempts > 1
        await assert_rebuilt_equals_live(log_dsn, log.store)
    await db.close()


def test_the_pace_is_told_from_where_it_was_taken_up():
    reached = Progress("messages", 600, 1_000, 2.0, begun=200)
    assert (reached.rate, reached.remaining) == (200.0, 2.0)
    assert Progress("messages", 0, 10, 0.0).remaining is None


async def test_a_lane_of_two_shares_is_cut_anywhere(log, log_dsn, monkeypatch):
    monkeypatch.setattr("infra.postgres.slices.PAGE", 7)
    async with projecting(log, log_dsn) as (prompt, lagging):
        events = history(17)
        for event in events:
            last = await append(log, [event])
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
    told = []
    report = await rebuild(log_dsn, log, ALL, told=told.append)
    assert report.differences == ()
    assert len([each for each in told if each.stage == "messages"]) > 3
    await assert_rebuilt_equals_live(log_dsn, log.store)
    assert lanes.MOST_FAILURES > 1


async def test_a_lane_that_waits_in_a_ring_begins_its_batch_anew(
    log, log_dsn, monkeypatch
):
    """Lanes of two shards erase the same session, each in an order of its own."""
    fold, broken = lanes.fold, []

    async def fold_in_a_ring(connection, projections, batch):
        await fold(connection, projections, batch)
        if not broken:
            broken.append(batch)
            raise asyncpg.DeadlockDetectedError("deadlock detected")

    monkeypatch.setattr(lanes, "fold", fold_in_a_ring)
    async with projecting(log, log_dsn) as (prompt, lagging):
        for event in history(17):
            last = await append(log, [event])
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
    report = await rebuild(log_dsn, log, ALL)
    assert broken
    assert report.differences == ()
