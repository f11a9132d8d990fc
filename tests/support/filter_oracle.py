"""The filter language of HC 3 in plain Python, over rows that are plain dicts.

``matches`` answers True or False, or None where a condition imposes nothing.
"""

import json
import operator
import re
from datetime import UTC, datetime
from decimal import Decimal

OPERATORS = {"gte", "lte", "gt", "lt", "ne", "in", "contains", "icontains"}
SIGNS = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "ne": operator.ne,
    "eq": operator.eq,
}
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def matches(tree, row):
    return both([entry(key, value, row) for key, value in tree.items()])


def entry(key, value, row):
    match key:
        case "AND":
            return both([matches(member, row) for member in value])
        case "OR":
            told = imposed([matches(member, row) for member in value])
            return any(told) if told else None
        case "NOT":
            told = imposed([matches(member, row) for member in value])
            return not any(told) if told else None
        case "metadata":
            return on_metadata(row["metadata"], value)
        case "source_ids":
            return on_ids(row["source_ids"], value)
        case _:
            return on_column(row[key], value)


def imposed(parts):
    return [part for part in parts if part is not None]


def both(parts):
    told = imposed(parts)
    return all(told) if told else None


def on_column(stored, value):
    if isinstance(value, dict):
        return both([column(stored, *each) for each in value.items()])
    return column(stored, "in" if isinstance(value, list) else "eq", value)


def column(stored, name, operand):
    if operand == "*" or (isinstance(operand, list) and "*" in operand):
        return None
    if operand is None or stored is None:
        return (name == "ne") != (operand is stored)
    match name:
        case "in":
            return stored in [like(stored, each) for each in operand]
        case "contains" | "icontains":
            return operand.lower() in stored.lower()
        case _:
            return SIGNS[name](stored, like(stored, operand))


def like(stored, operand):
    """Read an operand as the column's kind."""
    match stored:
        case datetime():
            moment = datetime.fromisoformat(operand.strip())
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        case bool():
            return operand
        case int():
            return Decimal(str(int(operand) if isinstance(operand, bool) else operand))
        case _:
            return operand


def on_ids(stored, value):
    if value == "*":
        return None
    if value is None:
        return not stored
    return both([ids(stored, *each) for each in value.items()])


def ids(stored, name, operand):
    if operand == "*":
        return None
    if name == "ne":
        return bool(stored)
    wanted = operand if isinstance(operand, list) else [operand]
    return None if "*" in wanted else bool(stored) and set(wanted) <= set(stored)


def on_metadata(stored, value):
    match value:
        case "*" | {"contains": "*"}:
            return None
        case None:
            return False
        case list():
            return None if "*" in value else contained(stored, value)
        case {"contains": part}:
            return contained(stored, part)
        case _:
            return both([on_key(stored, *each) for each in value.items()])


def on_key(stored, key, value):
    if value == "*" or (isinstance(value, list) and "*" in value):
        return None
    if isinstance(value, dict) and value and set(value) <= OPERATORS:
        return both([on_text(stored.get(key), *each) for each in value.items()])
    return contained(stored, {key: value})


def contained(stored, part):
    """Whether jsonb would say ``stored @> part``."""
    match part:
        case dict():
            return isinstance(stored, dict) and all(
                key in stored and contained(stored[key], each)
                for key, each in part.items()
            )
        case list():
            return isinstance(stored, list) and all(
                any(contained(mine, each) for mine in stored) for each in part
            )
        case bool() | None:
            return stored is part
        case str():
            return isinstance(stored, str) and stored == part
        case _:
            return is_number(stored) and stored == part


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def on_text(stored, name, operand):
    """Whether an operator holds of the value's text; null and the missing have none."""
    if operand == "*" or (isinstance(operand, list) and "*" in operand):
        return None
    text, number = spelled(stored), number_of(operand)
    if text is None:
        return False
    match name:
        case "in":
            return text in [spelled(o) for o in operand if not isinstance(o, bool)]
        case "contains" | "icontains":
            return spelled(operand).lower() in text.lower()
        case _ if number is not None:
            mine = number_of(stored)
            return name == "ne" if mine is None else SIGNS[name](mine, number)
        case _:
            return SIGNS[name](text, spelled(operand))


def number_of(value):
    if is_number(value):
        return Decimal(repr(value))
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    return None


def spelled(value):
    """Spell a JSON value as jsonb does."""
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return json.dumps(in_order(value), ensure_ascii=False)
        case _:
            return format(Decimal(repr(value)), "f")


def in_order(value):
    """Order keys as jsonb stores them: the shorter first, then by bytes."""
    match value:
        case dict():
            keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
            return {key: in_order(value[key]) for key in keys}
        case list():
            return [in_order(each) for each in value]
        case _:
            return value
