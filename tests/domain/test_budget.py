"""What a workspace may spend, and how it is told when that is used up."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.budget import (
    Budget,
    BudgetStanding,
    Spent,
    begin_of,
    budget_of,
    end_of,
    say_used_up,
)

NOW = datetime(2026, 11, 28, 18, 25, tzinfo=UTC)
DEPLOYED = Budget(max_cost=5_000_000, window="month")


def test_without_a_cap_all_fits():
    assert not Budget().is_capped
    assert Budget().fits(Spent(2**60, 2**60))


def test_each_cap_holds_by_itself_up_to_the_last_of_it():
    assert Budget(max_cost=10).fits(Spent(10, 2**60))
    assert not Budget(max_cost=10).fits(Spent(11, 0))
    assert not Budget(max_tokens=10).fits(Spent(0, 11))
    assert not Budget(max_cost=10, max_tokens=10).fits(Spent(10, 11))
    assert not Budget(max_cost=0).fits(Spent(1, 0))


def test_a_workspace_says_its_own_cap_and_keeps_what_it_does_not_say():
    own = budget_of({"budget": {"max_cost_usd": 1.02}}, DEPLOYED)
    assert own == Budget(max_cost=1_020_000, window="month")
    own = budget_of({"budget": {"max_tokens": 7}}, DEPLOYED)
    assert own == Budget(max_cost=5_000_000, max_tokens=7, window="month")


def test_a_cap_beyond_all_numbers_is_one_that_can_be_told():
    own = budget_of({"budget": {"max_tokens": 1e300, "max_cost_usd": 1e300}}, DEPLOYED)
    assert own.max_tokens == 2**50
    assert own.max_cost == 2**50 * 1_000_000


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"budget": None},
        {"budget": 3},
        {"budget": {"max_cost_usd": "1"}},
        {"budget": {"max_cost_usd": -1, "max_tokens": True}},
    ],
)
def test_what_is_no_cap_lifts_none(stored):
    assert budget_of(stored, DEPLOYED) == DEPLOYED


@pytest.mark.parametrize(
    ("window", "begins", "ends"),
    [
        ("day", datetime(2026, 11, 28, tzinfo=UTC), datetime(2026, 11, 29, tzinfo=UTC)),
        ("month", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
        ("total", None, None),
    ],
)
def test_a_window_begins_and_ends(window, begins, ends):
    assert begin_of(window, NOW) == begins
    assert end_of(window, NOW) == ends


@given(st.integers(0, 4_000_000_000))
def test_a_window_holds_the_moment_and_the_next_begins_where_it_ends(seconds):
    now = datetime.fromtimestamp(seconds, UTC)
    for window in ("day", "month"):
        ends = end_of(window, now)
        assert begin_of(window, now) <= now < ends
        assert begin_of(window, ends) == ends


@pytest.mark.parametrize(
    ("budget", "spent", "told"),
    [
        (
            Budget(max_cost=1_000_000),
            Spent(cost=1_020_000),
            "budget used up: 1.02 of 1.00 USD this month; renews 2026-12-01",
        ),
        (
            Budget(max_tokens=1_000, window="day"),
            Spent(tokens=998),
            "budget used up: 998 of 1,000 tokens today; renews 2026-11-29",
        ),
        (
            Budget(max_cost=1_500, max_tokens=9, window="total"),
            Spent(1_234, 8),
            "budget used up: 0.001234 of 0.0015 USD and 8 of 9 tokens; never renews",
        ),
    ],
)
def test_it_says_how_much_of_what_and_when_it_renews(budget, spent, told):
    assert say_used_up(budget, spent, NOW) == told


@pytest.mark.parametrize(
    ("budget", "spent", "refused", "used_up"),
    [
        (Budget(), Spent(10, 10), Spent(5, 5), False),
        (Budget(max_tokens=10), Spent(0, 9), None, False),
        (Budget(max_tokens=10), Spent(0, 10), None, True),
        (Budget(max_cost=10), Spent(10, 0), None, True),
        (Budget(max_tokens=10), Spent(0, 6), Spent(0, 4), False),
        (Budget(max_tokens=10), Spent(0, 6), Spent(0, 5), True),
    ],
)
def test_a_budget_is_used_up_when_what_was_wanted_last_has_no_room(
    budget, spent, refused, used_up
):
    standing = BudgetStanding(
        budget=budget, spent=spent, aside=Spent(), refused=refused, at=NOW
    )
    assert standing.is_used_up == used_up
    assert (standing.told is not None) == used_up
