"""A tool's arguments: one struct says what a model is told and what is enforced.

Numbers a model wrote wrongly fall back to their default, those beyond a limit to the
limit (RS 7.5); a text that is missing or too long is refused in words.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from processors.tools.tool import ToolError

MOST: Final = 20_000
"""Most characters of the arguments of one call."""

DEEPEST: Final = 20
"""Most levels of lists and objects in them."""

A = TypeVar("A", bound=msgspec.Struct)


@cache
def schema_of(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema of an object, everything in its place: no references.

    It is made once, and not to be changed.
    """
    [schema], components = msgspec.json.schema_components(
        [arguments], ref_template="{name}"
    )
    written = _inlined(schema, components)
    written.pop("description", None)
    return {"additionalProperties": False, "required": [], **written}


def _inlined(schema: Any, components: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inlined(each, components) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        beside = {name: value for name, value in schema.items() if name != "$ref"}
        return {**_inlined(components[schema["$ref"]], components), **beside}
    written = {
        name: {key: _inlined(each, components) for key, each in value.items()}
        if name == "properties"
        else _inlined(value, components)
        for name, value in schema.items()
        if name != "title"
    }
    words = written.get("enum")
    if words and all(isinstance(each, str) for each in words):
        written.setdefault("type", "string")
    return written


def read_arguments(arguments: type[A], text: str) -> A:
    """Read the JSON a model wrote.

    Raises:
        ToolError: it is not an object, or lacks a text that is needed.
    """
    given = read_object(text)
    read: dict[str, Any] = {}
    for field in _fields(arguments):
        value = given.get(field.encode_name)
        mended = _UNUSABLE if value is None else _mended(_bare(field.type), value)
        if mended is not _UNUSABLE:
            read[field.encode_name] = mended
        elif field.required and value is None:
            raise ToolError(f"The argument {field.encode_name} is missing.")
        elif field.required:
            read[field.encode_name] = value
    try:
        return msgspec.convert(read, arguments, strict=False)
    except msgspec.ValidationError as wrong:
        raise ToolError(f"The arguments do not fit: {wrong}") from None


@cache
def _fields(arguments: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(arguments)
    if not isinstance(info, inspect.StructType):  # pragma: no cover  it is one
        raise TypeError(arguments)
    return info.fields


def read_object(text: str) -> dict[str, Any]:
    """Read a call's arguments as the object they must be; nothing at all is one.

    Raises:
        ToolError
    """
    if len(text) > MOST:
        raise ToolError(f"The arguments are longer than {MOST:,} characters.")
    try:
        given = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        raise ToolError("The arguments are not valid JSON.") from None
    if not isinstance(given, dict):
        raise ToolError("The arguments are not a JSON object.")
    if not _is_shallow(given):
        raise ToolError("The arguments are nested too deeply.")
    return given


def _is_shallow(given: Any) -> bool:
    """Tell whether what follows may go through it level by level, by recursion."""
    level = [given]
    for _ in range(DEEPEST):
        lists = [each.values() if isinstance(each, dict) else each for each in level]
        level = [e for each in lists for e in each if isinstance(e, dict | list)]
        if not level:
            return True
    return False


_UNUSABLE: Final = object()
"""Stands for what falls back to its default."""


def _bare(kind: inspect.Type) -> inspect.Type:
    """Return the type below what is said of it."""
    return _bare(kind.type) if isinstance(kind, inspect.Metadata) else kind


def _mended(kind: inspect.Type, value: Any) -> Any:
    """Bring a value within its limits where that needs no guessing."""
    match kind:
        case inspect.IntType():
            return _number(kind, value)
        case inspect.BoolType():
            return _switch(value)
        case inspect.LiteralType():
            return value if value in kind.values else _UNUSABLE
        case inspect.StrType():
            return _clean(value) if isinstance(value, str) else _UNUSABLE
        case inspect.VarTupleType() | inspect.ListType():
            return _listed(kind, value)
        case _:
            return value


def _listed(kind: inspect.VarTupleType | inspect.ListType, value: Any) -> Any:
    """Take a single text for a list of it, and of a long list its beginning."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list):
        return _UNUSABLE
    kept = listed[: kind.max_length]
    return [_clean(each) if isinstance(each, str) else each for each in kept]


def _number(kind: inspect.IntType, value: Any) -> Any:
    try:
        number = int(value)
    except (ValueError, TypeError, OverflowError):
        return _UNUSABLE
    least = number if kind.ge is None else kind.ge
    most = number if kind.le is None else kind.le
    return max(least, min(number, most))


def _switch(value: Any) -> Any:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().lower(), _UNUSABLE)
    return value if isinstance(value, bool) else _UNUSABLE


def _clean(text: str) -> str:
    """Drop what neither UTF-8 nor a database can hold."""
    return text.replace("\x00", "").encode(errors="replace").decode()
