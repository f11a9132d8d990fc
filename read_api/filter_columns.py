"""Conditions on one column: its kind says which operands it takes (HC 3.2, 3.6)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

import msgspec

from domain.errors import Invalid
from projections.condition import Bind, Condition, all_of
from read_api.filter_metadata import metadata_condition
from read_api.filter_operands import (
    COMPARE,
    OPERATORS,
    WILDCARD,
    no_null,
    not_a_list,
    number_of,
)

_TYPES = {
    "text": "text",
    "boolean": "boolean",
    "number": "numeric",
    "datetime": "timestamptz",
    "enum": "text",
}


class Column(msgspec.Struct, frozen=True):
    """A column: how a statement names it, and what its operands must be.

    An ``enum`` takes only ``values``. ``json`` is an object, ``ids`` a list of them.
    """

    sql: str
    kind: Literal["text", "boolean", "number", "datetime", "enum", "json", "ids"] = (
        "text"
    )
    values: tuple[str, ...] = ()


def column_condition(column: Column, key: str, value: Any) -> Condition | None:
    """Compile a scalar, a list or an object of operators; None where it is dropped.

    Raises:
        Invalid: the operand does not fit (texts of HC 3.9).
    """
    if column.kind == "json":
        return metadata_condition(column.sql, key, value)
    operate = _on_ids if column.kind == "ids" else _on_value
    if not isinstance(value, dict):
        operator = "in" if isinstance(value, list) else "eq"
        return operate(column, key, operator, value)
    unknown = [name for name in value if name not in OPERATORS]
    if unknown or not value:
        raise Invalid(
            f"Invalid filter for column '{key}': unsupported operator(s) {unknown}."
            f" Expected one of {list(OPERATORS)} or a scalar value."
        )
    parts = [operate(column, key, name, each) for name, each in value.items()]
    return all_of([part for part in parts if part is not None])


def _on_value(
    column: Column, key: str, operator: str, operand: Any
) -> Condition | None:
    if operand == WILDCARD:
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
            if operand is None:
                raise no_null(operator)
            checked = _checked(column, key, operand)
            return _binary(column, COMPARE[operator], checked)


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
        raise not_a_list(operand)
    if WILDCARD in operand:
        return None
    values = [_checked(column, key, each) for each in operand if each is not None]
    kind = _TYPES[column.kind]
    return lambda bind: f"{column.sql} = ANY({bind(values)}::{kind}[])"


def _contains(column: Column, key: str, operator: str, operand: Any) -> Condition:
    if column.kind not in ("text", "enum"):
        raise Invalid(
            f"Operator '{operator}' requires a text column, but '{key}' is"
            f" {column.kind}"
        )
    if operand is None:
        raise no_null(operator)
    text = _text(key, operand)
    return lambda bind: f"strpos(lower({column.sql}), lower({bind(text)}::text)) > 0"


def _on_ids(column: Column, key: str, operator: str, operand: Any) -> Condition | None:
    """Hold where the list has these ids (HC 7.5); having none counts as null."""
    if operand == WILDCARD or (isinstance(operand, list) and WILDCARD in operand):
        return None
    match operator:
        case "eq" if operand is None:
            return lambda _bind: f"{column.sql} = '{{}}'"
        case "ne" if operand is None:
            return lambda _bind: f"{column.sql} <> '{{}}'"
        case "contains" | "icontains" if operand is None:
            raise no_null(operator)
        case "contains" | "icontains":
            ids = operand if isinstance(operand, list) else [operand]
            texts = [_text(key, each) for each in ids]
            # The index has only lists that are not empty.
            return lambda bind: (
                f"({column.sql} <> '{{}}' AND {column.sql} @> {bind(texts)}::text[])"
            )
        case _:
            raise Invalid(f"Column '{key}' cannot be filtered on but by 'contains'")


def _binary(column: Column, sign: str, value: Any) -> Condition:
    def write(bind: Bind) -> str:
        return f"{column.sql} {sign} {bind(value)}::{_TYPES[column.kind]}"

    return write


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
        case "enum" if operand not in column.values:
            raise Invalid(
                f"Invalid value for column '{key}': {operand!r}. Expected one of"
                f" {list(column.values)}"
            )
        case _:
            return _text(key, operand)


def _text(key: str, operand: Any) -> str:
    if not isinstance(operand, str):
        raise _mismatch(key, "a string", operand)
    if "\x00" in operand:
        raise Invalid(f"Invalid value for column '{key}': NUL cannot be stored")
    return operand


def _number(key: str, operand: Any) -> Decimal:
    spelled = str(int(operand)) if isinstance(operand, bool) else number_of(operand)
    if spelled is None:
        raise _mismatch(key, "a number", operand)
    return Decimal(spelled)


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
