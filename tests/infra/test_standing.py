"""Where consumers stand, as operators see it: behind by events, by time, by keys."""

from datetime import timedelta
from io import StringIO

import asyncpg
import msgspec
from rich.console import Console

from infra.analytics.sign_of_life import sign_of_life
from infra.analytics.store import RollUps
from infra.cli.status import _table, _waits
from infra.feed_ledger import FeedLedger, Hold
from infra.kafka.generations import Generations
from infra.postgres.migrate import migrate_analytics
from infra.postgres.stored_rows import StoredRows
from infra.postgres.tail import Tail
from infra.postgres.view_readers import open_view_readers
from infra.settings import Settings
from infra.standing import Waiting, standing
from infra.telemetry.metrics import Metrics
from infra.vectors.ledger import CollectionLedger, Known
from infra.vectors.wanting import reader_name
from tests.support.feeding import Scripted
from tests.support.projecting import projecting


def hold(position, key, after, reason="Unavailable", attempts=3):
    return Hold(
        key=key,
        tenant="w",
        position=position,
        attempts=attempts,
        after=after,
        reason=reason,
    )


async def test_who_lags_who_waits_and_why(feeding, memory, database):
    async with projecting(memory.log, database.dsn()) as (prompt, lagging):
        said = [each.position for each in await memory.say("one", "two", "three")]
        assert await prompt.wait_for(said[-1], 60)
        assert await lagging.wait_for(said[-1], 60)
        ledger = FeedLedger(feeding.pool, Scripted.name)
        await ledger.begin()
        first = (await memory.log.store.read_log(after=0, limit=1))[0]
        held = [
            hold(1, "w/a", timedelta(minutes=1)),
            hold(1, "w/b", timedelta(minutes=1), attempts=5),
            hold(1, "w/c", None, "ValueError"),
        ]
        await ledger.advance(0, (1, first.id), held, ())
        async with open_view_readers(database.dsn()) as pool:
            now = await standing(pool)
    assert now.head == said[-1]
    by_name = {each.name: each for each in now.consumers}
    folded = by_name["messages"]
    assert (folded.kind, folded.lag_events, folded.lag_seconds) == ("projection", 0, 0)
    fed = by_name["scripted"]
    assert (fed.position, fed.lag_events) == (1, now.head - 1)
    assert (fed.retrying, fed.parked) == (2, 1)
    assert 0 < fed.lag_seconds < 600
    assert [
        (each.state, each.reason, each.keys, each.attempts)
        for each in sorted(now.waiting, key=lambda each: each.state)
    ] == [("parked", "ValueError", 1, 3), ("retry", "Unavailable", 2, 5)]
    assert all(isinstance(each, Waiting) and each.seconds >= 0 for each in now.waiting)


async def test_who_counts_the_topic_is_seen_and_when_it_was_last_there(
    memory, database
):
    await migrate_analytics(database.dsn())
    async with (
        projecting(memory.log, database.dsn()),
        asyncpg.create_pool(database.dsn(), min_size=0, max_size=2) as db,
        open_view_readers(database.dsn()) as pool,
    ):
        said = await memory.say("one", "two", "three")
        async with sign_of_life(db, RollUps(db)):
            log = StoredRows(db, Tail())
            await RollUps(db).count(await log.page(0, events=2, size=2**20))
        await db.execute("UPDATE work.consumer SET seen_at = now() - interval '3 h'")
        now = await standing(pool)
        [counts] = [each for each in now.consumers if each.seen_seconds is not None]
        assert (counts.name, counts.kind) == ("analytics", "roll-ups")
        assert counts.position == 2
        assert counts.lag_events == now.head - 2
        assert now.head == said[-1].position
        assert 0 < counts.lag_seconds < 600
        assert 3 * 3_600 <= counts.seen_seconds < 4 * 3_600
        shown = StringIO()
        Console(file=shown, width=120).print(_table(now))
        assert "3:00:0" in shown.getvalue()
        series = Metrics("palimpsest", 10)
        text = (await series.exposition(pool, {}, set())).decode()
        labels = 'consumer="analytics",kind="roll-ups",namespace="palimpsest"'
        assert f"palimpsest_consumer_lag_events{{{labels}}} {now.head - 2}.0" in text
        assert f"palimpsest_consumer_seen_seconds{{{labels}}} 108" in text


async def test_what_is_parked_is_no_lag(feeding, memory, database):
    async with projecting(memory.log, database.dsn()):
        [said] = await memory.say("one")
        ledger = FeedLedger(feeding.pool, Scripted.name)
        await ledger.begin()
        await ledger.advance(0, (said.position, said.id), [hold(1, "w/a", None)], ())
        async with open_view_readers(database.dsn()) as pool:
            now = await standing(pool)
    [fed] = [each for each in now.consumers if each.name == "scripted"]
    assert (fed.lag_events, fed.lag_seconds, fed.parked) == (0, 0, 1)


async def test_who_read_for_former_vectors_is_not_behind(feeding, memory, database):
    """Else a change of models is told as lag that grows for ever."""
    async with projecting(memory.log, database.dsn()):
        [said] = await memory.say("one")
        names = {each: reader_name(each) for each in ("old", "new")}
        for name in names.values():
            ledger = FeedLedger(feeding.pool, name)
            await ledger.begin()
            await ledger.advance(
                0, (1, said.id), [hold(1, "w/a", timedelta(minutes=1))], ()
            )
        collections = CollectionLedger(feeding.pool)
        for model in names:
            await collections.serve(collection(model))
        async with open_view_readers(database.dsn()) as pool:
            now = await standing(pool)
    told = {each.name for each in now.consumers}
    assert names["new"] in told
    assert names["old"] not in told
    assert [each.processor for each in now.waiting] == [names["new"]]


def collection(model):
    return Known(
        model=model,
        base=model,
        generation=1,
        dimensions=2,
        state="serving",
        since=0,
        asked={},
    )


def test_what_waits_is_told_in_a_line_each():
    found = Waiting(
        processor="derive_conclusions",
        state="retry",
        reason="Unavailable",
        keys=2,
        attempts=5,
        seconds=61.4,
    )
    assert _waits(found) == (
        "derive_conclusions: 2 keys tried again for Unavailable, since 61 s, 5 attempts"
    )
    parked = msgspec.structs.replace(found, state="parked", keys=1, reason="ValueError")
    assert _waits(parked).startswith("derive_conclusions: a key parked for ValueError")


async def test_a_relay_is_as_far_as_its_topic(feeding, memory, database):
    async with projecting(memory.log, database.dsn()):
        said = [each.position for each in await memory.say("one", "two", "three")]
        generations = Generations(feeding.pool, Settings(_env_file=None))
        await generations.begin(1)
        serving = await generations.serving()
        await generations.move(serving, said[0], [said[0]])
        async with open_view_readers(database.dsn()) as pool:
            now = await standing(pool)
    [relay] = [each for each in now.consumers if each.kind == "relay"]
    assert (relay.name, relay.position) == ("palimpsest.events.v1", said[0])
    assert relay.lag_events == now.head - said[0] > 0
    assert relay.lag_seconds > 0
