"""Views that may lag rest after folds that come close behind each other."""

import asyncio

import pytest

from infra import leisure
from infra.leisure import CLOSE, REST, Leisure
from infra.telemetry.observers import Fold
from infra.traffic import at_once


@pytest.fixture
def passing(monkeypatch):
    """Time that passes only where it is slept, and as a test says."""

    class Passing:
        now = 1000.0
        slept = 0.0

        async def sleep(self, seconds):
            self.slept += seconds
            self.now += seconds

    passing = Passing()
    monkeypatch.setattr(leisure, "monotonic", lambda: passing.now)
    monkeypatch.setattr(asyncio, "sleep", passing.sleep)
    return passing


async def folded(passing, at, events, *, after):
    passing.now += after
    before = passing.slept
    at.folded(Fold((None,) * events, 0, 0))
    await at.give_way(0.001)
    return passing.slept - before


async def test_what_comes_singly_is_shown_at_once(passing):
    at = Leisure(at_once)
    assert await folded(passing, at, 1, after=0) == 0
    assert await folded(passing, at, 1, after=CLOSE + 0.1) == 0


async def test_folds_close_behind_each_other_let_more_gather(passing):
    at = Leisure(at_once)
    assert await folded(passing, at, 1, after=0) == 0
    assert await folded(passing, at, 1, after=0.01) == REST
    assert await folded(passing, at, 4, after=0.01) == REST


async def test_a_backlog_is_folded_without_a_rest(passing):
    at = Leisure(at_once)
    for _ in range(3):
        assert await folded(passing, at, 500, after=0.01) == 0
