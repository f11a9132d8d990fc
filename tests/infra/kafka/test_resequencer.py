"""What a re-sequencer says of the gap it waits for, and of who is to wait meanwhile."""

from infra.kafka.resequencer import Placed, Resequencer


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def put(resequencer, partition, *positions, size=1):
    resequencer.put(partition, [Placed(each, each, size) for each in positions])


def test_a_gap_says_since_when_it_is_waited_for():
    clock = Clock()
    resequencer = Resequencer(0, 2, page=1, patience=1.0, clock=clock)
    put(resequencer, 0, 1)
    assert resequencer.take(9) == [1]
    assert resequencer.gap is None
    clock.now = 150.0
    put(resequencer, 0, 3)
    gap = resequencer.gap
    assert (gap.position, gap.since) == (2, 150.0)
    assert not gap.proven
    assert not gap.overdue
    clock.now = 151.0
    assert resequencer.gap.overdue
    assert resequencer.missing() == range(2, 3)


def test_a_gap_of_old_behind_another_is_as_overdue():
    clock = Clock()
    resequencer = Resequencer(0, 2, page=1, patience=1.0, clock=clock)
    put(resequencer, 0, 2, 4)
    clock.now = 101.0
    resequencer.fill([Placed(1, 1, 1)])
    assert resequencer.take(9) == [1, 2]
    assert resequencer.gap.overdue


def test_a_gap_that_just_opened_is_not_overdue():
    clock = Clock()
    resequencer = Resequencer(0, 2, page=1, patience=1.0, clock=clock)
    for position in range(1, 100):
        clock.now += 0.3
        put(resequencer, 0, position)
        assert resequencer.take(9) == [position]
    clock.now += 0.3
    put(resequencer, 0, 101)
    assert not resequencer.gap.overdue


def test_a_gap_no_partition_can_bring_is_proven():
    resequencer = Resequencer(10, 2, page=1)
    put(resequencer, 0, 12)
    assert not resequencer.gap.proven
    put(resequencer, 1, 13)
    assert resequencer.gap.proven


def test_only_who_is_ahead_waits_once_it_is_full():
    resequencer = Resequencer(0, 3, page=2, most=12)
    put(resequencer, 0, 2, 3, 4, 5, 6)
    assert resequencer.ahead == frozenset()
    put(resequencer, 0, 7)
    assert resequencer.ahead == {0}
    put(resequencer, 1, 1)
    assert resequencer.take(100) == [1, 2, 3, 4, 5, 6, 7]
    assert resequencer.ahead == frozenset()


def test_large_records_make_it_full_sooner():
    resequencer = Resequencer(0, 3, page=1, most_bytes=1000)
    put(resequencer, 0, 2, size=1000)
    assert resequencer.ahead == {0}
    put(resequencer, 1, 1, size=1000)
    assert resequencer.take(2) == [1, 2]
    assert resequencer.ahead == frozenset()


def test_what_comes_again_is_dropped_and_counted():
    resequencer = Resequencer(5, 1, page=1)
    put(resequencer, 0, 4, 5, 6, 8, 8, 6)
    assert resequencer.take(9) == [6]
    assert (resequencer.kept, resequencer.duplicates) == (1, 4)
