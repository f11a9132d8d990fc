"""A condition on rows: SQL with numbered arguments, never built of values."""

from collections.abc import Callable, Sequence
from typing import Any


class Bind:
    """The arguments of one statement; calling it gives a value its placeholder."""

    def __init__(self, *values: Any) -> None:
        self.values: list[Any] = list(values)

    def __call__(self, value: Any) -> str:
        """Add a value and return how the statement names it, ``$n``."""
        self.values.append(value)
        return f"${len(self.values)}"


Condition = Callable[[Bind], str]
"""Writes a boolean SQL expression, binding the values it speaks of."""


def always(_bind: Bind) -> str:
    """Hold for every row."""
    return "TRUE"


def all_of(parts: Sequence[Condition]) -> Condition | None:
    """Hold where all parts hold; no parts are no condition."""
    return _joined(" AND ", parts)


def any_of(parts: Sequence[Condition]) -> Condition | None:
    """Hold where one part holds; no parts are no condition."""
    return _joined(" OR ", parts)


def negated(part: Condition) -> Condition:
    """Hold where the part is not true: also where it is unknown."""
    return lambda bind: f"({part(bind)}) IS NOT TRUE"


def every(*parts: Condition) -> Condition:
    """Hold where all parts hold."""
    return all_of([part for part in parts if part is not always]) or always


def equals(column: str, value: Any) -> Condition:
    """Hold where ``column`` (our own words, never a caller's) equals the value."""
    return lambda bind: f"{column} = {bind(value)}"


def _joined(word: str, parts: Sequence[Condition]) -> Condition | None:
    if len(parts) <= 1:
        return parts[0] if parts else None
    return lambda bind: "(" + word.join(f"({part(bind)})" for part in parts) + ")"
