"""Operators and operands of the filter language, whatever they are asked of (HC 3)."""

import math
import re
from collections.abc import Mapping
from typing import Any

from domain.errors import Invalid

OPERATORS = ("contains", "gt", "gte", "icontains", "in", "lt", "lte", "ne")

WILDCARD = "*"
"""Stands for anything: the condition it is in is dropped."""

COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
"""The signs of the operators that compare."""

BLANK = " \t\n\r\f\v"
"""What may stand around a number."""

NUMBER = "[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?"
"""A number as text, to Python and Postgres alike; both can hold all of them."""

LONGEST_NUMBER = 1_000
"""Longest text that is taken for a number, in characters."""

_DEEPEST = 100


def number_of(operand: Any) -> str | None:
    """Spell a number, or a string that is one, as Postgres reads it; None: no number.

    Raises:
        Invalid: it is not finite.
    """
    match operand:
        case bool():
            return None
        case int():
            return str(operand)
        case float():
            _check_finite(operand)
            return repr(operand)
        case str() if len(operand) <= LONGEST_NUMBER:
            trimmed = operand.strip(BLANK)
            return trimmed if re.fullmatch(NUMBER, trimmed) else None
        case _:
            return None


def not_a_list(operand: Any) -> Invalid:
    """Say that ``in`` wants a list (HC 3.9)."""
    return Invalid(
        f"Invalid value for 'in' operator: {operand}. Expected an iterable"
        f" (list, tuple, set), got {type(operand).__name__}"
    )


def no_null(operator: str) -> Invalid:
    """Say that an operator does not take null (HC 3.9)."""
    return Invalid(
        f"Operator '{operator}' does not accept null. Use {{\"ne\": null}} for a"
        " not-null check, or null on its own for a null check."
    )


def check_storable(value: Any, depth: int = 0) -> None:
    """Refuse what no stored JSON could equal, and Postgres would not even read.

    Raises:
        Invalid
    """
    if depth > _DEEPEST:
        raise Invalid("Invalid filter configuration")
    match value:
        case str() if "\x00" in value:
            raise Invalid("Invalid value for metadata: NUL cannot be stored")
        case float():
            _check_finite(value)
        case list():
            for each in value:
                check_storable(each, depth + 1)
        case Mapping():
            for name, each in value.items():
                check_storable(name, depth)
                check_storable(each, depth + 1)
        case _:
            return


def _check_finite(value: float) -> None:
    if not math.isfinite(value):
        raise Invalid("Invalid value: numbers must be finite")
