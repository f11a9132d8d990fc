import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.ports import (
    ANY,
    AppendRequest,
    Overloaded,
    StreamAppend,
    WrongExpectedVersion,
)
from domain.events import EVENT_BY_TAG
from infra.postgres import line as line_module
from infra.postgres.line import Line
from infra.postgres.mapper import StructMapper
from infra.postgres.pending import pend
from tests.support.log import CAUSE, WORKSPACE, request, said, stream_of

MAPPER = StructMapper(EVENT_BY_TAG, {})

sessions = st.lists(st.sampled_from("abcd"), min_size=1, max_size=3, unique=True)


async def pended(*names, **options):
    return pend(request(*names, **options), MAPPER)


async def lined(*requests):
    line = Line(1_000, 2**30)
    waiting = [await pended(*names) for names in requests]
    for pending in waiting:
        line.admit(pending)
        line.join(pending)
    return line, waiting


def batches_of(line):
    while batch := line.take():
        yield batch


@given(st.lists(sessions, max_size=25))
def test_every_stream_keeps_its_order_and_several_stand_alone(requests):
    async def check():
        line, waiting = await lined(*requests)
        number = {id(pending): n for n, pending in enumerate(waiting)}
        taken = []
        for batch in batches_of(line):
            for pending in batch:
                if len(pending.names) > 1:
                    others = {n for p in batch if p is not pending for n in p.names}
                    assert others.isdisjoint(pending.names)
            taken += batch
        assert len(taken) == len(waiting)
        for name in map(str, stream_names(waiting)):
            order = [number[id(p)] for p in taken if name in p.names]
            assert order == sorted(order)

    asyncio.run(check())


def stream_names(waiting):
    return {name for pending in waiting for name in pending.names}


async def test_a_batch_is_bounded_by_count_and_by_bytes(monkeypatch):
    monkeypatch.setattr(line_module, "BATCH_REQUESTS", 3)
    line, waiting = await lined(*(["a"] for _ in range(7)))
    assert [len(batch) for batch in batches_of(line)] == [3, 3, 1]
    monkeypatch.setattr(line_module, "BATCH_BYTES", waiting[0].size * 2)
    line.rejoin(waiting, alone=False)
    assert [len(batch) for batch in batches_of(line)] == [2, 2, 2, 1]
    monkeypatch.setattr(line_module, "BATCH_BYTES", 1)
    line.rejoin(waiting[:2], alone=False)
    assert [len(batch) for batch in batches_of(line)] == [1, 1]


async def test_those_who_shall_be_alone_are():
    line, waiting = await lined(["a"], ["b"], ["c"])
    line.rejoin(line.take()[:2], alone=True)
    line.join(waiting[2])
    assert [len(batch) for batch in batches_of(line)] == [1, 1, 1]


async def test_the_line_is_bounded_by_bytes_but_takes_one_of_any_size():
    line = Line(100, 500)
    big = await pended("a", size=50)
    line.admit(big)
    with pytest.raises(Overloaded):
        line.admit(await pended("a"))
    line.release(big)
    line.admit(await pended("a"))


async def test_who_was_decided_upon_a_failure_is_withdrawn_with_those_upon_him():
    line = Line(1_000, 2**30)
    first = await pended("b", expected=0)
    upon = await pended("a", "b", expected=1)
    further = await pended("b", expected=2)
    free = await pended("a", expected=ANY)
    other = await pended("c", expected=0)
    for pending in (first, upon, further, free, other):
        line.join(pending)
    withdrawn = line.withdraw_decided_upon({stream_of("a").name})
    assert withdrawn == [upon, further]
    assert line.take() == [first, free, other]


async def test_who_only_expects_a_stream_shares_it_and_keeps_its_place():
    line = Line(1_000, 2**30)
    streams = [StreamAppend(stream_of("b"), 0, (said("x", session="b"),))]
    streams += [StreamAppend(stream_of("a"), 1, ())]
    upon = pend(AppendRequest(WORKSPACE, tuple(streams), CAUSE), MAPPER)
    before, after = await pended("a", expected=0), await pended("a", expected=1)
    behind, late = await pended("a", "c", expected=2), await pended("a", expected=3)
    for pending in (before, upon, after, behind, late):
        line.join(pending)
    assert list(batches_of(line)) == [[before, upon, after], [behind], [late]]


class Model:
    """The log by the letter of the contract: one request after the other.

    Who fails breaks what it would have added to; who expects a stream as it is beside
    one that failed so may fail with it.
    """

    def __init__(self):
        self.versions = {}
        self.broken = set()
        self.doubted = set()

    def check(self, asked, answer):
        exact = {e.stream.name: e.expected for e in asked.streams if e.expected != ANY}
        fits = self.broken.isdisjoint(exact) and all(
            self.versions.get(name, 0) == version for name, version in exact.items()
        )
        if isinstance(answer, WrongExpectedVersion):
            assert not fits or not self.doubted.isdisjoint(exact)
            added = {e.stream.name for e in asked.streams if e.events}
            self.broken |= set(exact) & added
            self.doubted |= set(exact) - added
            return
        assert not isinstance(answer, BaseException), answer
        assert fits
        for each in asked.streams:
            name = each.stream.name
            self.versions[name] = self.versions.get(name, 0) + len(each.events)


def random_request(random, believed, prefix):
    """Decide upon believed versions, which are mostly right."""
    streams = []
    for nth, letter in enumerate(random.sample("abcd", random.choice((1, 1, 1, 2, 3)))):
        session = f"{prefix}{letter}"
        known = believed.get(session, 0)
        expected = random.choice((known, known, known, known, ANY, max(0, known - 1)))
        count = random.randint(1, 3)
        if nth and expected != ANY and random.random() < 0.5:
            count = 0
        believed[session] = known + count
        events = tuple(said("x", session=session) for _ in range(count))
        streams.append(StreamAppend(stream_of(session), expected, events))
    return AppendRequest(WORKSPACE, tuple(streams), CAUSE)


@pytest.mark.parametrize("seed", range(8))
async def test_group_commits_decide_as_one_request_after_the_other(log, seed):
    random = Random(seed)
    for wave in range(6):
        model, believed = Model(), {}
        asked = [
            random_request(random, believed, f"{wave}-")
            for _ in range(random.randint(1, 60))
        ]
        answers = await asyncio.gather(
            *[log.store.submit(each) for each in asked], return_exceptions=True
        )
        for each, answer in zip(asked, answers, strict=True):
            model.check(each, answer)
        for name, version in model.versions.items():
            found = [e.version for e in await log.store.read_stream(name)]
            assert found == list(range(1, version + 1))
