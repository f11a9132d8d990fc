"""Dead letters that nobody takes: so many wait, and what is dropped is told."""

import logging
from types import SimpleNamespace

import asyncpg
import msgspec
import pytest

from infra.cli.relay import _show
from infra.feed_ledger import FeedLedger, Hold
from infra.kafka import letter_box
from infra.kafka.dead_letters import DeadLetters
from infra.kafka.decoding import unread
from infra.kafka.place import Place
from infra.kafka.standing import RelayStanding
from infra.telemetry.metrics import Metrics
from tests.support.kafka import named_apart
from tests.support.proxy import proxied

MOST = 3


@pytest.fixture
async def pool(database, monkeypatch):
    monkeypatch.setattr(letter_box, "MOST", MOST)
    async with asyncpg.create_pool(database.dsn(), min_size=1, max_size=2) as made:
        yield made


@pytest.fixture
async def letters(opened, pool):
    """Those of a worker whose brokers never answer."""
    with proxied(9) as proxy:
        proxy.stall()
        settings = named_apart(f"127.0.0.1:{proxy.port}")
        made = DeadLetters(settings, pool, opened.by_shards())
        yield made
        await made.close()


def poison(*offsets):
    return [unread(Place("t", 0), each) for each in offsets]


async def waiting(pool):
    return await pool.fetchval("SELECT count(*) FROM work.letter")


async def test_records_that_are_no_events_are_dropped_beyond_so_many_and_counted(
    letters, pool, caplog
):
    caplog.set_level(logging.ERROR)
    await letters.tell(poison(1, 2))
    assert letters.dropped == 0
    await letters.tell(poison(2, 3, 4, 5))  # one of them waits already
    assert (await waiting(pool), letters.dropped) == (MOST, 2)
    assert [each.message for each in caplog.records] == [
        "2 dead letters are dropped: too many wait"
    ]
    await letters.tell(poison(1, 2, 3))
    assert (await waiting(pool), letters.dropped) == (MOST, 2)


async def test_a_key_that_is_parked_meanwhile_is_told_of_once_there_is_room(
    letters, pool, memory
):
    [said] = await memory.say("one")
    ledger = FeedLedger(pool, "scripted")
    await ledger.begin()
    parked = Hold(
        key="w/s", tenant="w", position=1, attempts=5, after=None, reason="ValueError"
    )
    await ledger.advance(0, (1, said.id), [parked], ())
    await letters.tell(poison(1, 2, 3))
    await letters._write_parked()
    assert await waiting(pool) == MOST
    await pool.execute("DELETE FROM work.letter")
    await letters._write_parked()
    assert await waiting(pool) == 1
    assert letters.dropped == 0


async def test_what_a_worker_dropped_is_in_its_metrics(letters):
    await letters.tell(poison(1, 2, 3, 4))
    metrics = Metrics("n", 10)
    metrics.fed_from(
        SimpleNamespace(places=1, paused=0, rebalances=0, letters=letters, lags=dict)
    )
    told = metrics.series.registry.get_sample_value
    assert told("palimpsest_feed_dropped_letters", {"namespace": "n"}) == 1


@pytest.mark.parametrize(("letters", "is_told"), [(10_000, True), (9_999, False)])
def test_that_letters_are_dropped_is_in_the_status_of_the_relay(
    letters, is_told, capsys
):
    standing = RelayStanding(
        head=0, generations=[], leader=None, lag_events=0, lag_seconds=0.0
    )
    _show(msgspec.structs.replace(standing, letters=letters))
    assert ("further ones are dropped" in capsys.readouterr().out) is is_told
