"""What a workspace may spend on models, until when, and how that is said."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

Window = Literal["day", "month", "total"]
"""How long a budget lasts until it begins anew: a day or month of UTC, or for ever."""

MICROS = 1_000_000
"""Millionths of a dollar, the unit money is counted in."""

_MOST = 2**50
"""A cap beyond which more makes no difference, and no reader of JSON is exact."""


class Spent(msgspec.Struct, frozen=True):
    """Money in millionths of a dollar, and tokens in and out."""

    cost: int = 0
    tokens: int = 0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.cost + other.cost, self.tokens + other.tokens)


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """A hard cap on money (millionths of a dollar), on tokens, or on both.

    None is no cap.
    """

    max_cost: int | None = None
    max_tokens: int | None = None
    window: Window = "month"

    @property
    def is_capped(self) -> bool:
        return self.max_cost is not None or self.max_tokens is not None

    def fits(self, spent: Spent) -> bool:
        """Tell whether so much may have been spent."""
        return (self.max_cost is None or spent.cost <= self.max_cost) and (
            self.max_tokens is None or spent.tokens <= self.max_tokens
        )


def budget_of(configuration: Mapping[str, Any], otherwise: Budget) -> Budget:
    """Return a workspace's budget: what its configuration caps, else ``otherwise``.

    Each cap by itself; the window is the deployment's. What has a wrong type is not
    there (HC 5.1: unknown shapes may be stored).
    """
    section = configuration.get("budget")
    given = section if isinstance(section, Mapping) else {}
    cost, tokens = _cap(given, "max_cost_usd"), _cap(given, "max_tokens")
    return Budget(
        max_cost=otherwise.max_cost if cost is None else micros_of(cost),
        max_tokens=otherwise.max_tokens if tokens is None else int(tokens),
        window=otherwise.window,
    )


def micros_of(dollars: float) -> int:
    """Return dollars in the unit money is counted in."""
    return round(dollars * MICROS)


def begin_of(window: Window, now: datetime) -> datetime | None:
    """Return when the window that ``now`` is in began, None if it has no beginning."""
    if window == "total":
        return None
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day if window == "day" else day.replace(day=1)


def end_of(window: Window, now: datetime) -> datetime | None:
    """Return when it ends and all may be spent anew, None if it never does."""
    begun = begin_of(window, now)
    if begun is None:
        return None
    if window == "day":
        return begun + timedelta(days=1)
    return (begun + timedelta(days=32)).replace(day=1)


def say_used_up(budget: Budget, spent: Spent, now: datetime) -> str:
    """Say that a budget is used up, of which cap how much, and when it renews."""
    told = [f"{name}{_span(budget.window)}" for name in _caps(budget, spent)]
    ends = end_of(budget.window, now)
    renews = "; never renews" if ends is None else f"; renews {ends:%Y-%m-%d}"
    return f"budget used up: {' and '.join(told)}{renews}"


class BudgetStanding(msgspec.Struct, frozen=True, kw_only=True):
    """How a workspace stands to its budget at a moment.

    Of what is ``spent``, ``aside`` is set aside for calls under way. ``refused`` is
    what the last call would have taken that there was no room for.
    """

    budget: Budget
    spent: Spent
    aside: Spent
    refused: Spent | None
    at: datetime

    @property
    def is_used_up(self) -> bool:
        """Whether nothing fits any more, or not what was wanted last."""
        budget = self.budget
        if budget.max_cost is not None and self.spent.cost >= budget.max_cost:
            return True
        if budget.max_tokens is not None and self.spent.tokens >= budget.max_tokens:
            return True
        wanted = self.refused or Spent()
        return not budget.fits(self.spent + wanted)

    @property
    def told(self) -> str | None:
        """Say that it is used up, None while it is not."""
        if not self.is_used_up:
            return None
        return say_used_up(self.budget, self.spent, self.at)


def _caps(budget: Budget, spent: Spent) -> list[str]:
    caps = []
    if budget.max_cost is not None:
        caps.append(f"{_dollars(spent.cost)} of {_dollars(budget.max_cost)} USD")
    if budget.max_tokens is not None:
        caps.append(f"{spent.tokens:,} of {budget.max_tokens:,} tokens")
    return caps


def _span(window: Window) -> str:
    return {"day": " today", "month": " this month", "total": ""}[window]


def _dollars(micros: int) -> str:
    """Return dollars with two digits after the point, more where they matter."""
    exact = f"{micros / MICROS:.6f}"
    return exact.rstrip("0") if micros % (MICROS // 100) else exact[:-4]


def _cap(given: Mapping[str, Any], name: str) -> float | None:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return min(value, _MOST) if 0 <= value < math.inf else None
