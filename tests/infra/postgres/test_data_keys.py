import asyncio
import os
from datetime import UTC, datetime

import asyncpg
import pytest

from commands.ports import ANY, AppendRequest, EventStoreError, StreamAppend
from domain.erasure import SessionErased
from domain.event import ERASED, EVERYONE, Subject
from domain.session import MessageAdded
from infra.codec.errors import Unreadable
from infra.master_key import MasterKey, MasterKeyUnusable
from infra.postgres.data_keys import DataKeys
from infra.postgres.log import LogSettings, PostgresLog
from infra.postgres.migrate import migrate
from tests.support.log import CAUSE, WORKSPACE, request, stream_of

ALICE = Subject("team", "s", "alice")
BOB = Subject("team", "s", "bob")


NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
async def pool(log_dsn):
    async with asyncpg.create_pool(log_dsn, min_size=1, max_size=4) as pool:
        yield pool


async def contents(log):
    read = await log.store.read_log(after=0, limit=100)
    return [e.event.content for e in read if isinstance(e.event, MessageAdded)]


async def test_a_subject_keeps_its_key_and_no_two_share_one(pool, master_key):
    keys, others = DataKeys(pool, master_key), DataKeys(pool, master_key)
    made = await keys.for_sealing([ALICE, BOB, ALICE])
    assert made[ALICE].secret != made[BOB].secret
    again = await others.for_sealing([BOB, ALICE])
    assert again[ALICE].secret == made[ALICE].secret
    assert again[BOB].number == made[BOB].number


async def test_of_many_who_make_a_key_at_once_all_get_the_same(pool, master_key):
    makers = [DataKeys(pool, master_key) for _ in range(12)]
    made = await asyncio.gather(*(each.for_sealing([ALICE, BOB]) for each in makers))
    assert len({each[ALICE].number for each in made}) == 1


async def test_keys_are_stored_wrapped(pool, master_key):
    made = await DataKeys(pool, master_key).for_sealing([ALICE])
    assert made[ALICE].secret not in await pool.fetchval(
        "SELECT wrapped FROM secret.data_key"
    )
    assert made[ALICE].secret.hex() not in repr(made[ALICE])


async def test_another_master_key_is_told_apart(pool, master_key):
    await DataKeys(pool, master_key).for_sealing([ALICE])
    with pytest.raises(MasterKeyUnusable):
        await DataKeys(pool, MasterKey(os.urandom(32))).for_sealing([ALICE])


async def test_a_destroyed_key_is_gone_and_a_new_one_has_a_new_number(pool, master_key):
    keys = DataKeys(pool, master_key)
    old = (await keys.for_sealing([ALICE]))[ALICE]
    assert await keys.destroy("team", subjects=["alice"]) == 1
    assert await keys.for_opening([old.number]) == {old.number: None}
    assert (await keys.for_sealing([ALICE]))[ALICE].number != old.number
    assert await pool.fetchval("SELECT count(*) FROM secret.data_key") == 2


async def test_a_key_another_process_destroyed_opens_nothing_from_then_on(
    pool, master_key
):
    here, there = DataKeys(pool, master_key), DataKeys(pool, master_key)
    number = (await there.for_sealing([ALICE]))[ALICE].number
    assert (await there.for_opening([number]))[number] is not None
    await here.destroy("team")
    assert await there.for_opening([number]) == {number: None}


async def test_what_is_read_as_erased_is_sealed_by_its_former_keys_no_more(
    log_dsn, master_key
):
    async with (
        PostgresLog.open(log_dsn, master_key, LogSettings(announces=False)) as here,
        PostgresLog.open(log_dsn, master_key, LogSettings(announces=False)) as there,
    ):
        await here.store.append(request("s", "t"))
        await there.store.append(request("s", "t"))
        await here.keys.destroy(WORKSPACE, session="s")
        erased = SessionErased(
            workspace=WORKSPACE, session="s", erased_at=NOON, through=4
        )
        stream = stream_of("s")
        streams = (StreamAppend(stream, ANY, (erased,)),)
        await here.store.append(AppendRequest(WORKSPACE, streams, CAUSE))
        await there.store.read_stream(stream.name, after=2)
        await there.store.append(request("s", "t"))
        told = [ERASED, "t 0", ERASED, "t 0", "s 0", "t 0"]
        assert await contents(here) == told
        # What was erased long ago does not tell of keys that were made since.
        await there.store.read_stream(stream.name, after=2)
        assert await contents(there) == told


@pytest.mark.parametrize(
    ("whose", "left"),
    [
        ({}, [ERASED, ERASED, ERASED]),
        ({"session": "s"}, [ERASED, "t 0", ERASED]),
        ({"subjects": ["alice"]}, [ERASED, ERASED, ERASED]),
        ({"session": "t", "subjects": ["alice"]}, ["s 0", ERASED, "s 0"]),
        ({"subjects": ["bob"]}, ["s 0", "t 0", "s 0"]),
    ],
)
async def test_what_a_destroyed_key_sealed_reads_as_erased(log, whose, left):
    for session in ("s", "t", "s"):
        await log.store.append(request(session))
    await log.keys.destroy(WORKSPACE, **whose)
    assert await contents(log) == left


async def test_a_key_whose_row_is_gone_reads_as_erased(log_dsn, master_key, pool):
    async with PostgresLog.open(log_dsn, master_key) as log:
        await log.store.append(request("s"))
    await pool.execute("DELETE FROM secret.data_key")
    async with PostgresLog.open(log_dsn, master_key) as log:
        assert await contents(log) == [ERASED]
        await log.store.append(request("s"))
        assert await contents(log) == [ERASED, "s 0"]


async def test_keys_in_their_own_database_serve_the_log(log_dsn, database, master_key):
    await migrate(log_dsn, keys_dsn=database.dsn())
    apart = LogSettings(keys_dsn=database.dsn())
    async with PostgresLog.open(log_dsn, master_key, apart) as log:
        await log.store.append(request("s"))
        assert await contents(log) == ["s 0"]
        assert await log._pool.fetchval("SELECT count(*) FROM secret.data_key") == 0


async def test_a_wrong_master_key_stops_appends_and_not_the_log(log_dsn, master_key):
    async with PostgresLog.open(log_dsn, master_key) as log:
        await log.store.append(request("s"))
    async with PostgresLog.open(log_dsn, MasterKey(os.urandom(32))) as log:
        with pytest.raises(EventStoreError):
            await log.store.append(request("s"))
        assert (await log.store.append(request("other"))).first == 2
        with pytest.raises(MasterKeyUnusable):
            await log.store.read_stream(stream_of("s").name)


DAMAGE = """
UPDATE secret.data_key SET wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1)
WHERE session = $1
"""


async def test_a_damaged_key_is_not_taken_for_another_master_key(log_dsn, master_key):
    async with PostgresLog.open(log_dsn, master_key) as log:
        await log.store.append(request("s"))
        await log.keys.claim()
        await log.store.append(request("other"))
        await log._pool.execute(DAMAGE, "s")
    async with PostgresLog.open(log_dsn, master_key) as log:
        await log.keys.claim()
        with pytest.raises(Unreadable):
            await log.store.read_stream(stream_of("s").name)
        assert len(await log.store.read_stream(stream_of("other").name)) == 1
        with pytest.raises(EventStoreError):
            await log.store.append(request("s"))
    async with PostgresLog.open(log_dsn, MasterKey(os.urandom(32))) as log:
        for each in ("s", "other"):
            with pytest.raises(MasterKeyUnusable):
                await log.store.read_stream(stream_of(each).name)


async def test_a_fingerprint_is_stable_and_means_nothing_elsewhere(log):
    one, two, again = await log.fingerprint("team", ["a", "b", "a"])
    assert one == again != two
    assert len(one) == 32
    assert (await log.fingerprint("other", ["a"])) != [one]
    assert EVERYONE == "*"
    await log.keys.destroy("team")
    assert (await log.fingerprint("team", ["a"])) != [one]


async def test_vectors_are_recorded_once(log):
    await log.embeddings.put_many("team", "m", {"f": b"\x01" * 8, "g": b"\x02" * 8})
    await log.embeddings.put_many("team", "m", {"f": b"\x09" * 8})
    found = await log.embeddings.get_many("team", "m", ["f", "g", "h"])
    assert found == {"f": b"\x01" * 8, "g": b"\x02" * 8}
    assert await log.embeddings.get_many("team", "n", ["f"]) == {}
    assert await log.embeddings.get_many("team", "m", []) == {}
