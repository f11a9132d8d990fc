"""Views that may lag rest after folds that come close behind each other."""

import asyncio
from types import SimpleNamespace

import pytest

from infra import leisure
from infra.leisure import CLOSE, MANY, REST, Leisure
from infra.telemetry.observers import Fold
from infra.traffic import at_once


@pytest.fixture
def passing(monkeypatch):
    """Time that passes only where it is slept, and as a test says."""

    class Passing:
        now = 1000.0
        slept = 0.0
        head = 0

        async def sleep(self, seconds):
            self.slept += seconds
            self.now += seconds

    passing = Passing()
    monkeypatch.setattr(leisure, "monotonic", lambda: passing.now)
    monkeypatch.setattr(asyncio, "sleep", passing.sleep)
    return passing


@pytest.fixture
def at(passing):
    return Leisure(at_once, lambda: passing.head)


async def folded(passing, at, events, *, after, behind=0):
    """Fold so many, so long after the fold before; so many are still to come."""
    passing.now += after
    before = passing.slept
    position = passing.head - behind
    at.folded(Fold((SimpleNamespace(position=position),) * events, 0, 0))
    await at.give_way(0.001)
    return passing.slept - before


async def test_what_comes_singly_is_shown_at_once(passing, at):
    assert await folded(passing, at, 1, after=0) == 0
    assert await folded(passing, at, 1, after=CLOSE + 0.1) == 0


async def test_folds_close_behind_each_other_let_more_gather(passing, at):
    assert await folded(passing, at, 1, after=0) == 0
    assert await folded(passing, at, 1, after=0.01) == REST
    assert await folded(passing, at, 4, after=0.01, behind=20) == REST


async def test_a_backlog_is_folded_without_a_rest(passing, at):
    for _ in range(3):
        assert await folded(passing, at, 500, after=0.01) == 0


async def test_nor_is_there_one_while_a_backlog_comes_in_small_batches(passing, at):
    assert await folded(passing, at, 1, after=0) == 0
    assert await folded(passing, at, 12, after=0.01, behind=MANY) == 0
    assert await folded(passing, at, 12, after=0.01, behind=MANY - 1) == REST
