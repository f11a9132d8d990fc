"""What is changed in the log below its triggers is named by its position."""

from uuid import UUID

import asyncpg
import pytest

import infra.postgres.migrate as migrate_module
from infra.postgres.log import PostgresLog
from infra.postgres.migrate import (
    DatabaseOlder,
    check_migrated,
    migrate,
    steps_of,
)
from infra.postgres.verify import verify_chain
from tests.support.log import request

BATCHES = (3, 1, 2)
EVENTS = sum(BATCHES)
LINKED = (3, 4, 6)
NUMBERS = {"position": 8, "version": 4, "shard": 2}
BYTES = ("meta", "data", "digest", "link")
TEXTS = ("stream", "tenant", "type")


@pytest.fixture
async def forger(log, log_dsn):
    """A superuser before a short log whose commits hold several events."""
    for size in BATCHES:
        await log.store.append(request("s", size=size))
    connection = await asyncpg.connect(log_dsn)
    await connection.execute(
        "ALTER TABLE log.event DISABLE TRIGGER event_only_grows,"
        " DROP CONSTRAINT event_stream_version, DROP CONSTRAINT event_shard_known,"
        " DROP CONSTRAINT event_position_counts"
    )
    yield connection
    await connection.close()


async def broken_after(forger, *changes):
    """Return what is found broken after changes, which are taken back."""
    transaction = forger.transaction()
    await transaction.start()
    try:
        for statement, *arguments in changes:
            await forger.execute(statement, *arguments)
        return (await verify_chain(forger)).broken
    finally:
        await transaction.rollback()


def flips(column, value):
    """Return the value with each of its bytes changed in turn."""
    if column in NUMBERS:
        size = NUMBERS[column]
        raw = value.to_bytes(size, "big", signed=True)
        return [int.from_bytes(each, "big", signed=True) for each in flipped(raw)]
    if column == "id":
        return [UUID(bytes=each) for each in flipped(value.bytes)]
    if column in TEXTS:
        return [each.decode() for each in flipped(value.encode(), 1)]
    return flipped(value)


def flipped(raw, mask=0x80):
    return [
        raw[:place] + bytes([raw[place] ^ mask]) + raw[place + 1 :]
        for place in range(len(raw))
    ]


@pytest.mark.parametrize("column", ["id", *NUMBERS, *BYTES, *TEXTS])
async def test_a_flipped_byte_of_any_column_names_its_position(forger, column):
    told = 0
    for row in await forger.fetch("SELECT * FROM log.event ORDER BY position"):
        for value in flips(column, row[column] or b""):
            broken = await broken_after(
                forger,
                (
                    f"UPDATE log.event SET {column} = $2 WHERE position = $1",  # noqa: S608  ours
                    row["position"],
                    value,
                ),
            )
            assert broken is not None, (row["position"], value)
            assert broken.position == row["position"], (broken, value)
            told += 1
    assert told >= EVENTS


TIMES = [f"recorded_at + {256**byte} * interval '1 microsecond'" for byte in range(8)]


@pytest.mark.parametrize("time", [*TIMES, "'infinity'", "'200000-01-01'"])
async def test_a_changed_time_names_its_position(forger, time):
    """Also one beyond the years Python knows."""
    for position in range(1, EVENTS + 1):
        broken = await broken_after(
            forger,
            (
                f"UPDATE log.event SET recorded_at = {time} WHERE position = $1",  # noqa: S608  ours
                position,
            ),
        )
        assert broken is not None
        assert (broken.position, broken.first) == (position, position)


@pytest.mark.parametrize("position", range(1, EVENTS))
async def test_a_deleted_event_is_named(forger, position):
    broken = await broken_after(
        forger, ("DELETE FROM log.event WHERE position = $1", position)
    )
    assert broken is not None
    assert (broken.position, broken.what) == (position, "missing")


async def test_the_last_event_of_the_newest_commit_is_missed(forger):
    broken = await broken_after(forger, ("DELETE FROM log.event WHERE position = 6",))
    assert broken is not None
    assert (broken.first, broken.position, broken.what) == (5, 6, "unfinished")


@pytest.mark.parametrize("position", range(1, EVENTS + 1))
async def test_an_inserted_event_is_named(forger, position):
    """Those behind it are moved on; it is a copy of the one it comes before."""
    columns = "recorded_at, id, version, shard, stream, tenant, type, meta, data"
    broken = await broken_after(
        forger,
        (
            (
                "UPDATE log.event SET position = position + 1000000"
                " WHERE position >= $1::bigint"
            ),
            position,
        ),
        (
            (
                f"INSERT INTO log.event (position, {columns})"  # noqa: S608  ours
                f" SELECT $1::bigint, {columns} FROM log.event"
                " WHERE position = $1::bigint + 1000000"
            ),
            position,
        ),
        (
            (
                "UPDATE log.event SET position = position - 999999"
                " WHERE position >= 1000000"
            ),
        ),
    )
    assert broken is not None
    assert broken.first <= position <= broken.position
    assert broken.position == (position if position > 1 else 2)


@pytest.mark.parametrize(("one", "other"), [(1, 2), (2, 5), (4, 6), (5, 6)])
async def test_of_two_swapped_events_the_first_is_named(forger, one, other):
    move = "UPDATE log.event SET position = $2 WHERE position = $1"
    broken = await broken_after(
        forger, (move, one, 99), (move, other, one), (move, 99, other)
    )
    assert broken is not None
    assert (broken.position, broken.what) == (one, "changed")


async def test_swapped_digests_do_not_hide_swapped_bytes(forger):
    """Everything but the position changes places: the rows agree with themselves."""
    columns = (
        "recorded_at, id, version, shard, stream, tenant, type, meta, data, digest"
    )
    broken = await broken_after(
        forger,
        (
            (
                f"UPDATE log.event AS e SET ({columns}) = (SELECT {columns}"  # noqa: S608  ours
                " FROM log.event AS o WHERE o.position = 3 - e.position)"
                " WHERE e.position IN (1, 2)"
            ),
        ),
    )
    assert broken is not None
    assert (broken.position, broken.what) == (1, "changed")


async def test_an_event_forged_with_its_digest_breaks_its_commit(forger):
    broken = await broken_after(
        forger,
        ("UPDATE log.event SET data = 'x' WHERE position = 2",),
        (
            (
                "UPDATE log.event SET digest = log.digest(position, recorded_at, id,"
                " version, shard, stream, tenant, type, meta, data) WHERE position = 2"
            ),
        ),
    )
    assert broken is not None
    assert (broken.first, broken.position, broken.what) == (1, 3, "link")


@pytest.mark.parametrize("position", LINKED[:-1])
async def test_a_link_taken_away_is_named(forger, position):
    broken = await broken_after(
        forger, ("UPDATE log.event SET link = NULL WHERE position = $1", position)
    )
    assert broken is not None
    assert (broken.position, broken.what) == (position, "link")


@pytest.mark.parametrize("position", range(2, EVENTS + 1))
async def test_a_digest_taken_away_is_named(forger, position):
    broken = await broken_after(
        forger, ("UPDATE log.event SET digest = NULL WHERE position = $1", position)
    )
    assert broken is not None
    assert (broken.position, broken.what) == (position, "digest")


@pytest.mark.parametrize("position", range(1, EVENTS + 1))
async def test_without_digests_a_change_names_its_commit(forger, position):
    """As in a log from before there were any; what comes after has them again."""
    broken = await broken_after(
        forger,
        ("UPDATE log.event SET digest = NULL",),
        ("UPDATE log.event SET data = 'x' WHERE position = $1", position),
    )
    assert broken is not None
    assert broken.first <= position <= broken.position
    assert broken.position in LINKED


async def test_a_chain_goes_on_over_the_step_that_brings_digests(
    database, master_key, monkeypatch
):
    dsn, last = database.dsn(), steps_of("log")[-1].number

    def former(series):
        return steps_of(series)[:4] if series == "log" else steps_of(series)

    with monkeypatch.context() as before:
        before.setattr(migrate_module, "steps_of", former)
        assert await migrate(dsn) == 4
        async with PostgresLog.open(dsn, master_key) as log:
            await log.store.append(request("s", size=3))
            await log.store.append(request("s", size=2))
    with pytest.raises(DatabaseOlder, match=f"step 4, this Palimpsest knows {last}"):
        await check_migrated(dsn)
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        links = "SELECT position, link FROM log.event WHERE position < 6"
        known = await pool.fetch(links)
        assert await migrate(dsn) == last
        await check_migrated(dsn)
        async with PostgresLog.open(dsn, master_key) as log:
            await log.store.append(request("s", size=2))
        assert await pool.fetch(links) == known
        verified = await verify_chain(pool)
        assert (verified.position, verified.broken) == (7, None)
        assert verified.undigested == 5


async def test_a_log_from_before_digests_goes_on_with_them(log, forger):
    await forger.execute("UPDATE log.event SET digest = NULL")
    await log.store.append(request("s", size=2))
    verified = await verify_chain(forger)
    assert (verified.broken, verified.undigested) == (None, EVENTS)
    assert verified.position == EVENTS + 2
    broken = await broken_after(
        forger, ("UPDATE log.event SET data = 'x' WHERE position = 8",)
    )
    assert (broken.first, broken.position) == (8, 8)
