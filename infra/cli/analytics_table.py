"""Roll-ups as a table with bars: a line for each workspace and day."""

from collections.abc import Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from infra.analytics.report import DayShown, Progress

_WIDTH: Final = 16
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"
_HEAD: Final = (
    *("day", "messages", "", "peers", "concluded", "retracted"),
    *("tokens said", "of models", "USD", "derived in", "95 %", "longest"),
)


def table_of(days: Sequence[DayShown], reached: Progress) -> RenderableType:
    """Return a table for each workspace, and how far is counted."""
    tables: dict[str, Table] = {}
    most = max((each.messages for each in days), default=0)
    for each in days:
        if each.workspace not in tables:
            tables[each.workspace] = table = Table(title=escape(each.workspace))
            for name in _HEAD:
                is_text = name in {"day", "", "concluded"}
                table.add_column(name, justify="left" if is_text else "right")
        tables[each.workspace].add_row(*_cells(each, most))
    until = "" if reached.at is None else f", of {reached.at:%Y-%m-%d %H:%M:%S %Z}"
    told = f"counted up to position {reached.position}{until}"
    return Group(*tables.values(), told)


def bar(count: int, most: int) -> str:
    """Draw a count as part of the most there is, to an eighth of a letter."""
    eighths = round(count * _WIDTH * 8 / most) if most else 0
    eighths = max(eighths, 1) if count else 0
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


def _cells(day: DayShown, most: int) -> list[str]:
    levels = day.conclusions.items()
    concluded = [
        f"{told.derived:,} {escape(level)}" for level, told in levels if told.derived
    ]
    models = day.models
    return [
        day.day.isoformat(),
        f"{day.messages:,}",
        bar(day.messages, most),
        f"{day.active_peers:,}",
        ", ".join(concluded),
        f"{sum(told.retracted - told.reinstated for _, told in levels):,}",
        f"{day.message_tokens:,}",
        f"{models.input + models.output:,}",
        f"{models.cost_micros / 1_000_000:.4f}" + ("+" if models.unpriced else ""),
        _seconds(day.mean_seconds),
        _seconds(day.seconds_of(0.95), "≤ "),
        _seconds(day.derivation_micros_longest / 1_000_000 if day.within else None),
    ]


def _seconds(seconds: float | None, sign: str = "") -> str:
    if seconds is None:
        return "-"
    return f"{sign}{seconds:.3f} s" if seconds < 1 else f"{sign}{seconds:,.1f} s"
