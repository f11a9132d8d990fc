import asyncio
from uuid import uuid4

import asyncpg
import pytest

from commands.ports import CommandIdentity
from infra.postgres.migrate import DatabaseNewer, migrate, steps_of
from infra.postgres.role import APP_ROLE
from infra.postgres.verify import verify_chain
from tests.support.log import request, stream_of

CHANGES = [
    "UPDATE log.event SET data = '' WHERE position = 1",
    "DELETE FROM log.event WHERE position = 1",
    "TRUNCATE log.event",
    "UPDATE log.event SET data = '' WHERE false",
]


@pytest.fixture
async def connection(log_dsn):
    connection = await asyncpg.connect(log_dsn)
    yield connection
    await connection.close()


@pytest.fixture
async def pool(log_dsn):
    async with asyncpg.create_pool(log_dsn, min_size=1, max_size=2) as pool:
        yield pool


@pytest.mark.parametrize("change", CHANGES)
async def test_the_database_refuses_to_change_an_event(log, connection, change):
    await log.store.append(request("s"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only grows"):
        await connection.execute(change)
    await connection.execute("SET session_replication_role = replica")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only grows"):
        await connection.execute(change)


@pytest.mark.parametrize("change", [*CHANGES, "DELETE FROM secret.data_key"])
async def test_the_server_may_not_even_try(connection, change):
    await connection.execute(f"SET ROLE {APP_ROLE}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        await connection.execute(change)


async def test_the_server_acts_as_its_own_role(log, connection):
    await log.store.append(request("s"))
    acting = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE 'palimpsest%'"
    )
    assert acting >= 2
    role = await log._pool.fetchval("SELECT current_user")
    assert role == APP_ROLE


@pytest.mark.parametrize("series", ["log", "keys", "analytics"])
def test_steps_count_from_one_without_gap_or_repetition(series):
    numbers = [each.number for each in steps_of(series)]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_migrating_again_and_at_once_changes_nothing(database):
    dsn = database.dsn()
    assert set(await asyncio.gather(*(migrate(dsn) for _ in range(3)))) == {
        steps_of("log")[-1].number
    }
    assert await migrate(dsn) == steps_of("log")[-1].number


async def test_a_database_newer_than_the_code_is_refused(log_dsn, connection):
    await connection.execute(
        "INSERT INTO palimpsest.migration (series, number, name)"
        " VALUES ('log', 9999, 'future')"
    )
    with pytest.raises(DatabaseNewer, match="9999"):
        await migrate(log_dsn)


async def test_keys_may_live_in_a_database_of_their_own(database, log_dsn):
    keys = database.dsn()
    await migrate(log_dsn, keys_dsn=keys)
    connection = await asyncpg.connect(keys)
    tables = await connection.fetch(
        "SELECT table_schema FROM information_schema.tables"
        " WHERE table_schema IN ('log', 'secret')"
    )
    await connection.close()
    assert [row["table_schema"] for row in tables] == ["secret"]


async def test_steps_are_numbered_without_gaps():
    for series in ("log", "keys", "analytics"):
        numbers = [step.number for step in steps_of(series)]
        assert numbers == list(range(1, len(numbers) + 1))


async def test_the_chain_holds_over_commits_of_any_size(log, pool):
    for size in (1, 3, 700):
        await log.store.append(request("s", "t", size=size))
    await asyncio.gather(*(log.store.append(request(f"s{n}")) for n in range(40)))
    verified = await verify_chain(pool)
    assert verified.broken is None
    assert verified.position == await log.store.head()


async def test_time_never_runs_backwards_along_the_log(log, connection):
    await log.store.append(request("s"))
    await connection.execute("ALTER TABLE log.event DISABLE TRIGGER event_only_grows")
    await connection.execute("UPDATE log.event SET recorded_at = now() + interval '1h'")
    ahead = (await log.store.read_log(after=0, limit=1))[0].recorded_at
    appended = await log.store.append(request("s"))
    assert appended.recorded[0].recorded_at == ahead


async def test_appending_asks_for_read_committed(connection):
    await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    with pytest.raises(asyncpg.InvalidTransactionStateError):
        await connection.execute(
            "SELECT log.append('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',"
            " '{}', '{}', '{}', '{}', '{}', '{}', '{}')"
        )


async def test_old_commands_are_swept_except_lasting_ones(log, connection):
    client = CommandIdentity(uuid4(), b"h")
    lasting = CommandIdentity(uuid4(), b"h", forever=True)
    for command in (client, lasting):
        await log.store.append(request("s", command=command))
    assert await log.sweep_commands(days=7) == 0
    assert await log.sweep_commands(days=0) == 1
    tenant = stream_of("s").tenant
    assert await log.store.find_command(tenant, client.id) is None
    assert await log.store.find_command(tenant, lasting.id) is not None
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="lasting"):
        await connection.execute("DELETE FROM log.command")
