"""Roll-ups read back: a day in one piece, and drawn."""

from datetime import date, timedelta
from io import StringIO

import pytest
from rich.console import Console

from infra.analytics.report import Progress, daily, progress, seconds_of
from infra.cli.analytics_table import bar, table_of
from tests.infra.analytics.test_store import DAY, concluded, derived, retracted, said
from tests.support.call_history import call_events
from tests.support.rollups import stored

SECOND = timedelta(seconds=1)
EVER = (date.min, date.max)


async def test_a_day_is_told_in_one_piece(roll_ups, pool):
    calls = [*call_events("s", "alice", 1, []), *call_events("s", "alice", 2, ["x"])]
    events = [said(1), said(2, "bob"), concluded("a"), retracted("a"), derived(1, 2)]
    rows = stored([*events, *calls, said(1, workspace="v")], pace=SECOND)
    await roll_ups.count(rows)
    [own] = await daily(pool, "w", *EVER)
    assert (own.messages, own.active_peers, own.message_tokens) == (2, 2, 20)
    assert (own.conclusions["explicit"].derived, own.day) == (1, DAY)
    assert (own.models.calls, own.models.input, own.models.cost_micros) == (2, 3, 3)
    assert own.within == {4096: 2}
    assert own.mean_seconds == pytest.approx(3.5)
    assert own.seconds_of(0.95) == 4.096
    assert [each.workspace for each in await daily(pool, None, *EVER)] == ["v", "w"]
    assert await daily(pool, "w", DAY + timedelta(days=1), date.max) == []
    assert await progress(pool) == Progress(len(rows), rows[-1].recorded_at)


def test_a_share_of_a_histogram_is_known_to_a_factor_of_two():
    within = {1: 90, 64: 5, 1024: 5}
    assert [seconds_of(within.items(), each) for each in (0.5, 0.95, 0.96, 1)] == [
        0.001,
        0.064,
        1.024,
        1.024,
    ]
    assert seconds_of([], 0.5) is None


def test_bars_are_as_long_as_their_part():
    assert bar(0, 10) == ""
    assert bar(10, 10) == "█" * 16
    assert bar(5, 10) == "█" * 8
    assert bar(1, 10_000) == "▏"
    assert bar(0, 0) == ""


async def test_a_table_is_drawn_for_each_workspace(roll_ups, pool):
    events = [said(1), derived(1, 1), said(1, workspace="v[bold]")]
    await roll_ups.count(stored(events, pace=SECOND))
    console = Console(width=200, record=True, file=StringIO())
    console.print(table_of(await daily(pool, None, *EVER), await progress(pool)))
    shown = console.export_text()
    assert "v[bold]" in shown
    assert "1.0 s" in shown
    assert "counted up to position 3, of 2026-01-01 00:00:03 UTC" in shown
