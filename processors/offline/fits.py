"""Whether a value has a form of ``commands.response_format``."""

from collections.abc import Mapping
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "null": type(None),
    "number": (int, float),
    "integer": int,
}


def fits(value: Any, form: Mapping[str, Any]) -> bool:
    """Tell whether a value is one the form enforces."""
    if "enum" in form:
        return any(value == e and type(value) is type(e) for e in form["enum"])
    if "anyOf" in form:
        return any(fits(value, each) for each in form["anyOf"])
    match form["type"]:
        case "object":
            return (
                isinstance(value, dict)
                and all(name in value for name in form["required"])
                and all(
                    fits(value[name], each)
                    for name, each in form["properties"].items()
                    if name in value
                )
            )
        case "array":
            return isinstance(value, list) and (
                "items" not in form or all(fits(each, form["items"]) for each in value)
            )
        case kind:
            if isinstance(value, bool):
                return bool(kind == "boolean")
            return isinstance(value, _TYPES[kind])
