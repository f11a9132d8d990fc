"""Conditions on one column: its kind says which operands it takes (HC 3.2, 3.6)."""

import re
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from domain.errors import Invalid
from projections.condition import Bind, Condition, all_of

OPERATORS = ("contains", "gt", "gte", "icontains", "in", "lt", "lte", "ne")

_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_TYPES = {
    "text": "text",
    "boolean": "boolean",
    "number": "numeric",
    "datetime": "timestamptz",
    "level": "text",
}
_LEVELS = ("explicit", "deductive", "inductive", "contradiction")
_WILDCARD = "*"


class Column(msgspec.Struct, frozen=True):
    """A column: how a statement names it, and what its operands must be."""

    sql: str
    kind: Literal["text", "boolean", "number", "datetime", "level"] = "text"


def column_condition(column: Column, key: str, value: Any) -> Condition | None:
    """Compile a scalar, a list or an object of operators; None where it is dropped.

    Raises:
        Invalid: the operand does not fit (texts of HC 3.9).
    """
    if not isinstance(value, dict):
        operator = "in" if isinstance(value, list) else "eq"
        return _operation(column, key, operator, value)
    unknown = [name for name in value if name not in OPERATORS]
    if unknown or not value:
        raise Invalid(
            f"Invalid filter for column '{key}': unsupported operator(s) {unknown}."
            f" Expected one of {list(OPERATORS)} or a scalar value."
        )
    parts = [_operation(column, key, name, each) for name, each in value.items()]
    return all_of([part for part in parts if part is not None])


def _operation(
    column: Column, key: str, operator: str, operand: Any
) -> Condition | None:
    if operand == _WILDCARD:
        return None
    match operator:
        case "eq":
            return _equals(column, key, operand)
        case "ne":
            return _differs(column, key, operand)
        case "in":
            return _member(column, key, operand)
        case "contains" | "icontains":
            return _contains(column, key, operator, operand)
        case _:
            _refuse_null(operator, operand)
            checked = _checked(column, key, operand)
            return _binary(column, _COMPARE[operator], checked)


def _equals(column: Column, key: str, operand: Any) -> Condition:
    if operand is None:
        return lambda _bind: f"{column.sql} IS NULL"
    return _binary(column, "=", _checked(column, key, operand))


def _differs(column: Column, key: str, operand: Any) -> Condition:
    if operand is None:
        return lambda _bind: f"{column.sql} IS NOT NULL"
    return _binary(column, "IS DISTINCT FROM", _checked(column, key, operand))


def _member(column: Column, key: str, operand: Any) -> Condition | None:
    if not isinstance(operand, list):
        raise Invalid(
            f"Invalid value for 'in' operator: {operand}. Expected an iterable"
            f" (list, tuple, set), got {type(operand).__name__}"
        )
    if _WILDCARD in operand:
        return None
    values = [_checked(column, key, each) for each in operand if each is not None]
    kind = _TYPES[column.kind]
    return lambda bind: f"{column.sql} = ANY({bind(values)}::{kind}[])"


def _contains(column: Column, key: str, operator: str, operand: Any) -> Condition:
    if column.kind not in ("text", "level"):
        raise Invalid(
            f"Operator '{operator}' requires a text column, but '{key}' is"
            f" {column.kind}"
        )
    _refuse_null(operator, operand)
    text = _text(key, operand)
    return lambda bind: f"strpos(lower({column.sql}), lower({bind(text)}::text)) > 0"


def _binary(column: Column, sign: str, value: Any) -> Condition:
    def write(bind: Bind) -> str:
        return f"{column.sql} {sign} {bind(value)}::{_TYPES[column.kind]}"

    return write


def _refuse_null(operator: str, operand: Any) -> None:
    if operand is None:
        raise Invalid(
            f"Operator '{operator}' does not accept null. Use {{\"ne\": null}} for a"
            " not-null check, or null on its own for a null check."
        )


def _checked(column: Column, key: str, operand: Any) -> Any:
    """Return the operand as the driver takes it for the column's kind."""
    match column.kind:
        case "boolean":
            if not isinstance(operand, bool):
                raise _mismatch(key, "true or false", operand)
            return operand
        case "number":
            return _number(key, operand)
        case "datetime":
            return _moment(key, operand)
        case "level" if operand not in _LEVELS:
            raise Invalid(
                f"Invalid value for column '{key}': {operand!r}. Expected one of"
                f" {list(_LEVELS)}"
            )
        case _:
            return _text(key, operand)


def _text(key: str, operand: Any) -> str:
    if not isinstance(operand, str):
        raise _mismatch(key, "a string", operand)
    if "\x00" in operand:
        raise Invalid(f"Invalid value for column '{key}': NUL cannot be stored")
    return operand


def _number(key: str, operand: Any) -> Any:
    if isinstance(operand, str) and not _NUMBER.fullmatch(operand.strip()):
        raise _mismatch(key, "a number", operand)
    if not isinstance(operand, str | int | float):
        raise _mismatch(key, "a number", operand)
    return operand


def _moment(key: str, operand: Any) -> datetime:
    if not isinstance(operand, str):
        raise _mismatch(key, "a datetime", operand)
    try:
        moment = datetime.fromisoformat(operand.strip())
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"Invalid datetime value: {operand}") from None


def _mismatch(key: str, expected: str, operand: Any) -> Invalid:
    got = type(operand).__name__
    return Invalid(f"Invalid value for column '{key}': expected {expected}, got {got}")


_NUMBER = re.compile(r"[+-]?(\d{1,100}(\.\d{0,100})?|\.\d{1,100})([eE][+-]?\d{1,3})?")
