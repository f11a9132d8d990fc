"""JSON Schemas of events as they stand in the topic, made from their structs.

A record's value is one JSON object. What is personal stands in it in one of two forms:
sealed, as ``key`` and ``sealed`` in its place, or clear, as fields among the others.
What was erased is always sealed, and nothing opens it.
A field with a default may be missing in what was written before it came to be, and
further ones may come: an object is never closed.
"""

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any, Final

import msgspec
from msgspec import inspect

from domain.event import Event
from infra.codec.shape import Shape
from infra.upcasters import Upcaster

Schema = dict[str, Any]

_TIME: Final = "ISO 8601; without an offset, UTC is meant."
_KEY: Final[Schema] = {
    "type": "integer",
    "minimum": 1,
    "description": "The number of the data key that seals the personal fields.",
}
_SEALED: Final[Schema] = {
    "type": "string",
    "contentEncoding": "base64",
    "description": "Nonce and AES-256-GCM ciphertext of the personal fields. Whoever "
    "has no key of the deployment takes it for opaque; once the key is destroyed, so "
    "does everybody.",
}


def stored_events(
    events: Mapping[str, type[Event]], upcasters: Mapping[str, Upcaster]
) -> dict[str, type[Event]]:
    """Return every class the topic may hold by its tag, those of former shapes too."""
    former = {tag: step.old for tag, step in upcasters.items()}
    return dict(sorted({**former, **events}.items()))


def event_schema(event: type[Event], refs: str) -> tuple[Schema, dict[str, Schema]]:
    """Return the schema of a stored event, and those of the structs it holds by name.

    ``refs`` says where the latter will stand, as in ``#/$defs/{name}``.
    """
    (root,), found = msgspec.json.schema_components([event], ref_template=refs)
    own = found.pop(_named(root, refs))
    for held in found.values():
        held["description"] = cleandoc(held["description"])
    properties, required = own["properties"], own["required"]
    del properties["type"]  # the tag stands in a header, never in the value
    required.remove("type")
    for field in _times(event):
        properties[field]["description"] = _TIME
    schema: Schema = {
        "title": event.__name__,
        "description": cleandoc(event.__doc__ or ""),
        "type": "object",
        "properties": properties,
        "required": required,
    }
    return _in_two_forms(schema, Shape(event).personal), found


def alone(tag: str, event: type[Event]) -> Schema:
    """Return the schema of a tag as a document of its own (JSON Schema 2020-12)."""
    schema, held = event_schema(event, "#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:palimpsest:event:{tag}",
        **schema,
        **({"$defs": held} if held else {}),
    }


def _in_two_forms(schema: Schema, personal: tuple[str, ...]) -> Schema:
    """Let personal fields be sealed or clear, all of them one way."""
    if not personal:
        return schema
    wanted = [name for name in schema["required"] if name not in personal]
    clear = [name for name in schema["required"] if name in personal]
    return {
        **schema,
        "properties": {**schema["properties"], "key": _KEY, "sealed": _SEALED},
        "required": wanted,
        "oneOf": [
            {
                "title": "sealed",
                "required": ["key", "sealed"],
                "properties": dict.fromkeys(personal, False),
            },
            {"title": "clear", "required": clear, "properties": {"sealed": False}},
        ],
    }


def _named(root: Schema, refs: str) -> str:
    before, after = refs.split("{name}")
    return str(root["$ref"].removeprefix(before).removesuffix(after))


def _times(event: type[Event]) -> list[str]:
    info = inspect.type_info(event)
    fields = info.fields if isinstance(info, inspect.StructType) else ()
    return [field.encode_name for field in fields if _is_time(field.type)]


def _is_time(kind: inspect.Type) -> bool:
    if isinstance(kind, inspect.UnionType):
        return any(_is_time(each) for each in kind.types)
    return isinstance(kind, inspect.DateTimeType)
