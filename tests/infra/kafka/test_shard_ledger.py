"""Ranges of shards: cut anew without loss, moved by compare-and-set."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from domain.names import shard_of
from infra.feed_ledger import FeedLedger
from infra.held_keys import FedOtherwise, Hold
from infra.kafka.names import SHARDS, partition_of
from infra.kafka.place import Place
from infra.kafka.shard_ledger import Row, ShardLedger, recut
from infra.kafka.shard_ranges import Move
from infra.processor_reset import reset_processor
from tests.support.feeding import feeding
from tests.support.positions import processor_positions
from tests.support.reactions import memory, opened

__all__ = ["feeding", "memory", "opened"]

NAME = "scripted"


def stands_at(rows):
    """Return the position of each shard."""
    return [row.position for row in rows for _ in range(row.low, row.high)]


@settings(deadline=None, max_examples=40)
@given(some.lists(some.integers(1, 24), min_size=1, max_size=4), some.randoms())
def test_ranges_cut_anew_keep_the_position_of_each_shard(cuts, chance):
    rows = [Row(0, SHARDS, 0)]
    for partitions in cuts:
        rows = [
            row._replace(position=chance.randint(0, 3))
            for row in recut(rows, partitions)
        ]
        again = recut(rows, partitions)
        assert stands_at(again) == stands_at(rows)
        assert [row.low for row in again] == [
            0,
            *(row.high for row in again[:-1]),
        ]
        for row in again:
            within = {
                partition_of(each, partitions) for each in range(row.low, row.high)
            }
            assert len(within) == 1
        assert recut(again, partitions) == again


def test_neighbours_that_stand_alike_are_joined_within_a_partition():
    rows = recut([Row(0, SHARDS, 7, None, "t", 0, 9)], 8)
    assert len(rows) == 8
    joined = recut(rows, 2)
    assert [(row.low, row.high) for row in joined] == [(0, 512), (512, 1024)]
    assert {row.next for row in joined} == {9}
    moved = [rows[0]._replace(next=11), *rows[1:]]
    assert [row.next for row in recut(moved, 2)] == [None, 9]


@pytest.fixture
async def ledger(feeding):
    ledger = ShardLedger(feeding.pool, NAME)
    await ledger.begin()
    return ledger


def move(each, through, event=None, **further):
    return Move(range=each, through=through, event=event or uuid4(), **further)


async def test_a_range_moves_from_where_it_stands_and_no_other_is_touched(ledger):
    await ledger.cut(4)
    ranges = (await ledger.standing()).ranges
    assert [(each.low, each.high) for each in ranges] == [
        (0, 256),
        (256, 512),
        (512, 768),
        (768, 1024),
    ]
    place = Place("t", 1)
    assert await ledger.advance([move(ranges[1], 9, place=place, next=5)]) == {256}
    now = (await ledger.standing()).ranges
    assert [each.position for each in now] == [0, 9, 0, 0]
    assert (now[1].place, now[1].next) == (place, 5)
    stale = [move(ranges[0], 3), move(ranges[1], 4)]
    assert await ledger.advance(stale) == {0}
    assert (await ledger.standing()).position == 0


async def test_a_range_that_was_cut_meanwhile_is_not_moved(ledger):
    [whole] = (await ledger.standing()).ranges
    await ledger.cut(2)
    assert await ledger.advance([move(whole, 5)]) == set()
    key = "w/s"
    hold = held(key, 5)
    assert await ledger.advance([move(whole, 5)], [hold]) == set()
    assert (await ledger.standing()).held == {}


def held(key, position):
    return Hold(
        key=key,
        tenant="w",
        position=position,
        attempts=3,
        after=timedelta(),
        reason="x",
    )


async def test_a_range_that_passed_over_a_released_key_looks_again(ledger):
    await ledger.cut(4)
    key = "w/s"
    ranges = (await ledger.standing()).ranges
    [own] = [each for each in ranges if each.has(shard_of(key))]
    other = next(each for each in ranges if each is not own)
    assert await ledger.advance([move(own, 1)], [held(key, 1)]) == {own.low}
    await ledger.release(key, 1)
    [own] = [e for e in (await ledger.standing()).ranges if e.has(shard_of(key))]
    moves = [move(own, 2), move(other, 2)]
    assert await ledger.advance(moves, [], [key]) == {other.low}


async def test_a_release_behind_the_range_holds_on_for_the_rest(ledger):
    await ledger.cut(4)
    key = "w/s"

    async def own():
        ranges = (await ledger.standing()).ranges
        [found] = [each for each in ranges if each.has(shard_of(key))]
        return found

    await ledger.advance([move(await own(), 1)], [held(key, 1)])
    await ledger.advance([move(await own(), 2)], [], [key])
    await ledger.release(key, 1)
    waiting = (await ledger.standing()).held[key]
    assert (waiting.position, waiting.attempts) == (2, 0)
    await ledger.release(key, 2)
    assert (await ledger.standing()).held == {}


async def test_what_feeds_a_processor_changes_without_loss(memory, feeding, ledger):
    await memory.say("a", "b", "c")
    events = [each.id for each in await memory.recorded()]
    await ledger.cut(2)
    one, two = (await ledger.standing()).ranges
    await ledger.advance([move(one, 3, events[2]), move(two, 2, events[1])])

    whole = FeedLedger(feeding.pool, NAME)
    await whole.begin()
    assert (await whole.standing()).position == 2
    with pytest.raises(FedOtherwise):
        await ledger.standing()
    assert await ledger.advance([move(one, 3)]) == set()

    await whole.advance(2, (3, events[2]), (), ())
    await ledger.begin()
    assert [each.position for each in (await ledger.standing()).ranges] == [3]
    with pytest.raises(FedOtherwise):
        await whole.standing()
    [stands] = await processor_positions(feeding.pool)
    assert stands.position == 3


async def test_a_processor_is_reset_in_all_its_ranges(memory, feeding, ledger):
    await memory.say("a", "b", "c")
    events = [each.id for each in await memory.recorded()]
    await ledger.cut(3)
    ranges = (await ledger.standing()).ranges
    place = Place("t", 0)
    await ledger.advance(
        [
            move(each, at, events[at - 1], place=place, next=at)
            for each, at in zip(ranges, (1, 2, 3), strict=True)
        ]
    )
    await reset_processor(feeding.pool, NAME, 2)
    now = (await ledger.standing()).ranges
    assert [(each.position, each.next) for each in now] == [(1, 1), (2, 2), (2, None)]
