"""Checkpoints are signed as the log grows, and never over a changed history."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import asyncpg
import pytest

from infra.postgres.role import APP_ROLE
from infra.proof.signer import HistoryChanged, Signer
from infra.proof.signing_key import SigningKey
from tests.support.log import request

KEY = SigningKey(bytes(range(32)))
OTHER = SigningKey(bytes(32))


def signer_of(log, key=KEY):
    return Signer(log.checkpoints, key, lambda: datetime.now(UTC))


async def all_of(log):
    return [each async for each, _ in log.checkpoints.all()]


@pytest.fixture
async def forger(log_dsn):
    connection = await asyncpg.connect(log_dsn)
    await connection.execute("ALTER TABLE log.event DISABLE TRIGGER event_only_grows")
    yield connection
    await connection.close()


async def test_an_empty_log_has_nothing_to_sign(log):
    assert await signer_of(log).sign() is None
    assert await all_of(log) == []


async def test_the_head_is_signed_once_for_each_key(log):
    await log.store.append(request("s", size=3))
    signer = signer_of(log)
    first = await signer.sign()
    assert first.position == 3
    assert first.is_genuine
    assert await log.checkpoints.ending(3) == first.ending
    assert await signer.sign() == first
    assert await signer_of(log).sign() == first  # as after a restart
    other = await signer_of(log, OTHER).sign()
    assert {each.public_key for each in await all_of(log)} == {
        KEY.public_key,
        OTHER.public_key,
    }
    assert other.ending == first.ending
    await log.store.append(request("s"))
    assert (await signer.sign()).position == 4
    assert (await log.checkpoints.newest()).position == 4
    assert (await log.checkpoints.newest(OTHER.public_key)).position == 3


async def test_many_at_once_do_no_harm(log):
    await log.store.append(request("s"))
    signed = await asyncio.gather(*(signer_of(log).sign() for _ in range(10)))
    assert {each.position for each in signed} == {1}
    assert len(await all_of(log)) == 1


async def test_it_signs_as_long_as_it_runs_and_once_more_at_the_end(log):
    await log.store.append(request("s"))
    async with AsyncExitStack() as running:
        signer_of(log).start(3_600, running)
        while not await all_of(log):  # noqa: ASYNC110  another task's doing
            await asyncio.sleep(0.01)
        await log.store.append(request("s"))
    assert [each.position for each in await all_of(log)] == [1, 2]


async def test_another_history_is_not_signed(log, forger):
    for _ in range(2):
        await log.store.append(request("s"))
    signer = signer_of(log)
    await signer.sign()
    await forger.execute("DELETE FROM log.event WHERE position = 2")
    await log.store.append(request("other"))
    for each in (signer, signer_of(log)):
        with pytest.raises(HistoryChanged, match="position 2 was signed as event"):
            await each.sign()
    assert len(await all_of(log)) == 1


async def test_half_a_commit_is_not_signed(log, forger):
    await log.store.append(request("s", size=3))
    await forger.execute("DELETE FROM log.event WHERE position = 3")
    with pytest.raises(HistoryChanged, match="position 2 ends no commit"):
        await signer_of(log).sign()


async def test_a_broken_history_does_not_end_the_server(log, forger, caplog):
    await log.store.append(request("s", size=3))
    await forger.execute("DELETE FROM log.event WHERE position = 3")
    async with AsyncExitStack() as running:
        task = signer_of(log).start(0.01, running)
        while caplog.text.count("no checkpoint: position 2") < 2:  # noqa: ASYNC110  another task's doing
            await asyncio.sleep(0.01)
        assert not task.done()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log.checkpoint SET link = ''",
        "DELETE FROM log.checkpoint",
        "TRUNCATE log.checkpoint",
    ],
)
async def test_the_database_refuses_to_change_a_checkpoint(log, log_dsn, change):
    await log.store.append(request("s"))
    await signer_of(log).sign()
    connection = await asyncpg.connect(log_dsn)
    for setting in ("SET session_replication_role = replica", "SELECT 1"):
        await connection.execute(setting)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only grows"):
            await connection.execute(change)
    await connection.execute(f"SET ROLE {APP_ROLE}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        await connection.execute(change)
    await connection.close()
