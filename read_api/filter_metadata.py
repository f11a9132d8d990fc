"""Conditions on free-form JSON: containment, and operators on one key's text (HC 3.5).

Only the first level is looked into: what lies deeper is compared as it is.
"""

from decimal import Decimal
from typing import Any

import msgspec

from domain.errors import Invalid
from projections.condition import Bind, Condition, all_of
from read_api.filter_operands import (
    BLANK,
    COMPARE,
    LONGEST_NUMBER,
    NUMBER,
    OPERATORS,
    WILDCARD,
    check_storable,
    no_null,
    not_a_list,
    number_of,
)


def metadata_condition(column: str, key: str, value: Any) -> Condition | None:
    """Compile what is asked of a jsonb column; None where it imposes nothing.

    Raises:
        Invalid: it asks what JSON cannot answer (texts of HC 3.9).
    """
    check_storable(value)
    if value in (WILDCARD, {"contains": WILDCARD}):
        return None
    match value:
        case None:
            return lambda _bind: f"{column} IS NULL"
        case list():
            return None if WILDCARD in value else _containing(column, value)
        case {"contains": dict() as part, **rest} if not rest:
            return _containing(column, part)
        case dict() if not any(name in OPERATORS for name in value):
            parts = [_on_key(column, name, each) for name, each in value.items()]
            return all_of([part for part in parts if part is not None])
        case _:
            name = "h_metadata" if key == "metadata" else key
            raise Invalid(
                f"Invalid filter for column '{name}': a JSONB column takes an object,"
                " optionally under 'contains'"
            )


def _on_key(column: str, key: str, value: Any) -> Condition | None:
    if value == WILDCARD or (isinstance(value, list) and WILDCARD in value):
        return None
    if not isinstance(value, dict) or not any(name in OPERATORS for name in value):
        return _containing(column, {key: value})
    unknown = [name for name in value if name not in OPERATORS]
    if unknown:
        raise Invalid(f"Unsupported comparison operator: {unknown[0]}")
    found = _Key(column, key)
    parts = [_operation(found, name, each) for name, each in value.items()]
    return all_of([part for part in parts if part is not None])


def _containing(column: str, part: Any) -> Condition:
    """Hold where the column contains this JSON; jsonb compares numbers as numbers."""
    text = msgspec.json.encode(part).decode()
    return lambda bind: f"{column} @> {bind(text)}::jsonb"


class _Key(msgspec.Struct, frozen=True):
    """The value under one key of a jsonb column; where it is missing, unknown."""

    column: str
    key: str

    def text(self, bind: Bind) -> str:
        """Write the value as text; JSON null has none."""
        return f"({self.column} ->> {bind(self.key)}::text)"

    def number(self, bind: Bind) -> str:
        """Write the value as a number, unknown where it is none: it never raises."""
        key = f"{bind(self.key)}::text"
        json, text = f"({self.column} -> {key})", f"({self.column} ->> {key})"
        trimmed = f"btrim({text}, '{BLANK}')"
        return (
            f"CASE jsonb_typeof({json}) WHEN 'number' THEN {json}::numeric"
            f" WHEN 'string' THEN CASE WHEN length({text}) <= {LONGEST_NUMBER}"
            f" AND {trimmed} ~ '^{NUMBER}$' THEN {trimmed}::numeric END END"
        )


def _operation(found: _Key, operator: str, operand: Any) -> Condition | None:
    if operand == WILDCARD:
        return None
    match operator:
        case "in":
            return _member(found, operand)
        case "contains" | "icontains":
            part = _text(operator, operand)
            return lambda bind: (
                f"strpos(lower({found.text(bind)}), lower({bind(part)}::text)) > 0"
            )
        case "ne":
            return _differs(found, operand)
        case _:
            return _compared(found, operator, operand)


def _compared(found: _Key, operator: str, operand: Any) -> Condition:
    """Compare as numbers where a number is given, else as text, bytewise."""
    sign = COMPARE[operator]
    number = number_of(operand)
    if number is not None:
        return lambda bind: (
            f"({found.number(bind)}) {sign} {bind(number)}::text::numeric"
        )
    if not isinstance(operand, str):
        raise Invalid(
            "Failed to build numeric comparison condition for operator"
            f" '{operator}': got {type(operand).__name__}"
        )
    return lambda bind: f'{found.text(bind)} COLLATE "C" {sign} {bind(operand)}::text'


def _differs(found: _Key, operand: Any) -> Condition:
    """Hold where the key is there and differs; what is no number differs from one."""
    number = number_of(operand)
    if number is not None:
        return lambda bind: (
            f"({found.text(bind)} IS NOT NULL AND ({found.number(bind)})"
            f" IS DISTINCT FROM {bind(number)}::text::numeric)"
        )
    text = _text("ne", operand)
    return lambda bind: f"{found.text(bind)} <> {bind(text)}::text"


def _member(found: _Key, operand: Any) -> Condition | None:
    if not isinstance(operand, list):
        raise not_a_list(operand)
    if WILDCARD in operand:
        return None
    spelled = [_spelled(each) for each in operand if not isinstance(each, bool)]
    texts = [text for text in spelled if text is not None]
    return lambda bind: f"{found.text(bind)} = ANY({bind(texts)}::text[])"


def _text(operator: str, operand: Any) -> str:
    if operand is None:
        raise no_null(operator)
    if isinstance(operand, bool):
        return "true" if operand else "false"
    text = _spelled(operand)
    if text is None:
        raise Invalid(
            f"Operator '{operator}' takes a string, a number or a boolean,"
            f" got {type(operand).__name__}"
        )
    return text


def _spelled(operand: Any) -> str | None:
    """Spell a string or number as jsonb does, None for what is neither."""
    match operand:
        case str():
            return operand
        case int():
            return str(operand)
        case float():
            return format(Decimal(repr(operand)), "f")
        case _:
            return None
