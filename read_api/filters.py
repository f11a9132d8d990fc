"""The filter language, compiled to conditions with bound values (HC 3).

A walk over the tree with a table of columns for each resource. A part that imposes
nothing compiles to None and vanishes from the AND or OR it stands in.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from domain.errors import Invalid
from projections.condition import Condition, all_of, always, any_of, negated
from read_api.filter_columns import Column, column_condition

DEEPEST = 5
"""How many logical levels may be nested."""

MOST_CONDITIONS = 2_000
"""How many names a filter may hold: a statement takes no more than 32,767 values."""

_KNOWN = frozenset(
    {"is_active", "peer_id", "session_id", "token_count", "workspace_id"}
)


class Filterable(msgspec.Struct, frozen=True):
    """A resource: the name errors give it, and the columns it may be filtered by.

    It also has ``opaque`` ones, by which nothing is filtered.
    """

    model: str
    columns: Mapping[str, Column]
    opaque: frozenset[str] = frozenset()


def compile_filter(tree: Mapping[str, Any] | None, resource: Filterable) -> Condition:
    """Return the condition a filter stands for; none or an empty one always holds.

    Raises:
        Invalid: the filter is not one (texts of HC 3.9).
    """
    if not tree:
        return always
    try:
        msgspec.json.encode(tree)
    except (UnicodeEncodeError, RecursionError):
        raise Invalid("Invalid filter configuration") from None
    if _names(tree) > MOST_CONDITIONS:
        raise Invalid(f"Filter exceeds maximum of {MOST_CONDITIONS} conditions")
    condition = _entries(tree, resource, 0)
    return condition if condition is not None else always


def _names(tree: Mapping[str, Any]) -> int:
    """Count the names in a tree, at every level."""
    names, waiting = 0, list[Any]([tree])
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            names += len(node)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return names


def _entries(
    tree: Mapping[str, Any], resource: Filterable, depth: int
) -> Condition | None:
    parts = [_entry(key, value, resource, depth) for key, value in tree.items()]
    return all_of([part for part in parts if part is not None])


def _entry(key: str, value: Any, resource: Filterable, depth: int) -> Condition | None:
    combine = _LOGIC.get(key)
    if combine is None:
        return column_condition(_column(key, resource), key, value)
    if depth == DEEPEST:
        raise Invalid(f"Filter nesting exceeds maximum depth of {DEEPEST}")
    if value is None:
        raise Invalid(f"{key} operator cannot be None")
    if not isinstance(value, list):
        raise Invalid(f"{key} operator must contain a list, got {type(value).__name__}")
    if not all(isinstance(member, dict) for member in value):
        raise Invalid("Invalid filter configuration")
    parts = [_entries(member, resource, depth + 1) for member in value]
    return combine([part for part in parts if part is not None])


def _column(key: str, resource: Filterable) -> Column:
    column = resource.columns.get(key)
    if column is not None:
        return column
    if key in resource.opaque:
        raise Invalid(f"Column '{key}' cannot be filtered on")
    if key in _KNOWN:
        raise Invalid(f"Column '{key}' does not exist on {resource.model}")
    raise Invalid(
        f"Column '{key}' is not allowed to be filtered on or does not exist on"
        f" {resource.model}"
    )


def _none_of(parts: list[Condition]) -> Condition | None:
    """Hold where none is true: an unknown is not true, so such a row stays."""
    return all_of([negated(part) for part in parts])


_LOGIC: dict[str, Callable[[list[Condition]], Condition | None]] = {
    "AND": all_of,
    "OR": any_of,
    "NOT": _none_of,
}
