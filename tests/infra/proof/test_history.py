"""Checkpoints held against the log: what was cut off or made anew is named."""

from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest

from infra.postgres.log import PostgresLog
from infra.postgres.migrate import migrate
from infra.proof.checkpoint import sign_ending
from infra.proof.history import check_against, check_kept
from infra.proof.signer import Signer
from infra.proof.signing_key import SigningKey, key_id
from tests.support.log import request

KEY = SigningKey(bytes(range(32)))
FORMER = SigningKey(bytes(32))


def now():
    return datetime.now(UTC)


@pytest.fixture
async def signed(log):
    """Three commits; the first signed by a former key, the others by the present."""
    made = []
    for key in (FORMER, KEY, KEY):
        await log.store.append(request("s", size=2))
        made.append(await Signer(log.checkpoints, key, now).sign())
    return made


@pytest.fixture
async def forger(log_dsn):
    connection = await asyncpg.connect(log_dsn)
    for table, trigger in (
        ("log.event", "event_only_grows"),
        ("log.checkpoint", "checkpoint_only_grows"),
    ):
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
    yield connection
    await connection.close()


@pytest.fixture
async def other(database, master_key):
    """Another log of the same length, made by the same server."""
    await migrate(database.dsn())
    async with PostgresLog.open(database.dsn(), master_key) as log:
        await log.store.append(request("s", size=6))
        yield log


async def kept(log, head=6):
    return await check_kept(log.checkpoints, head, KEY.public_key)


async def against(log, *given, head=6, trusted=()):
    return await check_against(log.checkpoints, given, head, trusted)


async def test_who_signed_is_told(log, signed):
    found = await kept(log)
    assert (found.checkpoints, found.refuted) == (3, [])
    assert [
        (key.key_id, key.checkpoints, key.position, key.present) for key in found.keys
    ] == [
        (key_id(FORMER.public_key), 1, 2, False),
        (key_id(KEY.public_key), 2, 6, True),
    ]
    assert await against(log, *signed) == []


async def test_a_log_cut_off_is_told_by_what_was_signed(log, signed, forger):
    await forger.execute("DELETE FROM log.event WHERE position > 4")
    (told,) = (await kept(log, 4)).refuted
    assert (told.wrong, told.position, told.head) == ("cut off", 6, 4)
    assert told.event == signed[2].ending.event
    assert "position 6" in str(told)
    assert "the log ends at 4" in str(told)
    # Who cuts off the checkpoints too is told by one that was kept elsewhere.
    await forger.execute("DELETE FROM log.checkpoint WHERE position > 4")
    assert (await kept(log, 4)).refuted == []
    assert [each.wrong for each in await against(log, *signed, head=4)] == ["cut off"]


@pytest.mark.usefixtures("signed")
async def test_a_hole_is_no_end_of_the_log(log, forger):
    await forger.execute("DELETE FROM log.event WHERE position = 4")
    (told,) = (await kept(log)).refuted
    assert (told.wrong, told.position, told.found) == ("another history", 4, None)
    assert str(told).endswith("and holds no event now: another history")


@pytest.mark.usefixtures("signed")
@pytest.mark.parametrize("year", ["4714-11-24 BC", "200000-01-01", "infinity"])
async def test_a_time_that_python_does_not_know_is_forged(log, forger, year):
    await forger.execute(
        f"UPDATE log.checkpoint SET made_at = '{year}' WHERE position = 4"  # noqa: S608  ours
    )
    (told,) = (await kept(log)).refuted
    assert (told.wrong, told.position) == ("signature", 4)


async def test_another_log_is_told_by_its_first_event(signed, other):
    found = await against(other, *signed)
    assert [(each.wrong, each.position) for each in found] == [
        ("another history", 2),
        ("another history", 4),
        ("another history", 6),
    ]
    assert found[2].found == (await other.checkpoints.ending(6)).event
    assert str(found[2].found) in str(found[2])


@pytest.mark.usefixtures("signed")
async def test_a_past_made_anew_under_the_same_ids_is_told(log, forger):
    await forger.execute("UPDATE log.event SET link = sha256(link) WHERE position = 4")
    (told,) = (await kept(log)).refuted
    assert (told.position, told.wrong) == (4, "another history")
    assert "what led there has changed" in str(told)


@pytest.mark.usefixtures("signed")
async def test_a_forged_checkpoint_is_told(log, forger):
    await forger.execute(
        "UPDATE log.checkpoint SET signature = set_byte(signature, 5,"
        " get_byte(signature, 5) # 1) WHERE position = 4"
    )
    (told,) = (await kept(log)).refuted
    assert (told.position, told.wrong) == (4, "signature")


async def test_only_named_keys_are_believed(log, signed):
    assert await against(log, signed[2], trusted=[KEY.public_key]) == []
    found = await against(log, *signed, trusted=[KEY.public_key])
    assert [(each.position, each.wrong) for each in found] == [(2, "key")]


@pytest.mark.usefixtures("signed")
async def test_inside_a_commit_nothing_is_signed(log):
    """A checkpoint of a position that ends no commit cannot be a true one."""
    ending = await log.checkpoints.ending(3)
    assert ending.link == b""
    forged = sign_ending(msgspec.structs.replace(ending, link=bytes(32)), now(), KEY)
    assert [each.wrong for each in await against(log, forged)] == ["another history"]
