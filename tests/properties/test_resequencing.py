"""However partitions are interleaved, cut and repeated, out comes the log, in order."""

from random import Random

from hypothesis import given
from hypothesis import strategies as some

from infra.kafka.resequencer import Placed, Resequencer


class Topic:
    """Partitions in order of position, with some records twice and some lost."""

    def __init__(self, chance, partitions, end):
        self.chance = chance
        self.records = {p: [] for p in range(partitions)}
        self.at = dict.fromkeys(self.records, 0)
        self.rewinds = 3
        for position in range(1, end + 1):
            for _ in range(chance.choice([1, 1, 1, 1, 2, 0])):
                self.records[chance.randrange(partitions)].append(position)

    def poll(self, room, ahead):
        """Bring at most ``room`` of those not ahead; some comes again."""
        for p in self.records:
            if self.rewinds and self.at[p] and self.chance.random() < 0.05:
                self.rewinds -= 1
                self.at[p] -= self.chance.randint(1, self.at[p])
        brought = {}
        for p in self.chance.sample([*self.records], len(self.records)):
            count = min(room, self.chance.randint(0, 30), len(self.left(p)))
            if count and p not in ahead:
                brought[p] = self.left(p)[:count]
                self.at[p] += count
                room -= count
        return brought

    def left(self, p):
        return self.records[p][self.at[p] :]

    def may_bring(self, position):
        return {p for p in self.records if position in self.left(p)}

    def is_silent(self, ahead):
        return not any(self.left(p) for p in self.records if p not in ahead)


seeds = some.integers(0, 2**32)


def placed(positions):
    return [Placed(each, each, 1) for each in positions]


@given(seeds, some.integers(1, 6), some.integers(0, 300), some.integers(0, 300))
def test_out_comes_the_log_in_order_and_no_more_than_the_bound_is_kept(
    seed, partitions, after, further
):
    chance, end = Random(seed), after + further
    topic = Topic(chance, partitions, end)
    page = chance.randint(1, 20)
    most = partitions * page + chance.randint(1, 100)
    resequencer = Resequencer(after, partitions, page=page, most=most)
    out = []
    while resequencer.position < end:
        for p, positions in topic.poll(page, resequencer.ahead).items():
            resequencer.put(p, placed(positions))
        assert resequencer.kept <= most
        gap = resequencer.gap
        if gap is not None and gap.proven:
            resequencer.fill(placed(resequencer.missing()))
        elif topic.is_silent(resequencer.ahead):
            lost = resequencer.missing() or [resequencer.position + 1]
            resequencer.fill(placed(lost))
        out += resequencer.take(chance.randint(1, 50))
    assert out == list(range(after + 1, end + 1))
    assert resequencer.kept == 0
    assert resequencer.gap is None


@given(seeds, some.integers(1, 6), some.integers(1, 200))
def test_nobody_waits_who_may_bring_what_is_missing_and_a_proof_is_true(
    seed, partitions, end
):
    chance = Random(seed)
    topic = Topic(chance, partitions, end)
    page = chance.randint(1, 20)
    resequencer = Resequencer(0, partitions, page=page, most=partitions * page + 1)
    for _ in range(100):
        for p, positions in topic.poll(page, resequencer.ahead).items():
            resequencer.put(p, placed(positions))
        resequencer.take(100)
        coming = topic.may_bring(resequencer.position + 1)
        gap = resequencer.gap
        first_time = {p for p in coming if gap and gap.position not in seen(topic, p)}
        assert not first_time & resequencer.ahead
        assert gap is None or not gap.proven or not first_time


def seen(topic, p):
    return topic.records[p][: topic.at[p]]
