"""Lists in a tool's arguments, of which each item is read by itself.

A model that writes one item wrongly is told so, and the others are taken.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Meta

from processors.tools.arguments import schema_of

I = TypeVar("I", bound=msgspec.Struct)  # noqa: E741  an item


def listed(item: type[msgspec.Struct], most: int, description: str) -> Meta:
    """Return what is said of a list of items, none of which is looked into."""
    return Meta(
        max_length=most,
        description=description,
        extra_json_schema={"items": schema_of(item)},
    )


def read_items(given: Sequence[Any], item: type[I]) -> list[I | str]:
    """Return each item, or in its place what is wrong with it."""
    return [_read(each, item) for each in given]


def _read(given: Any, item: type[I]) -> I | str:
    try:
        return msgspec.convert(_plain(given), item, strict=False)
    except msgspec.ValidationError as wrong:
        return str(wrong)


def _plain(given: Any) -> Any:
    """Drop what neither UTF-8 nor a database can hold."""
    match given:
        case str():
            return given.replace("\x00", "").encode(errors="replace").decode()
        case dict():
            return {key: _plain(value) for key, value in given.items()}
        case list():
            return [_plain(each) for each in given]
        case _:
            return given
