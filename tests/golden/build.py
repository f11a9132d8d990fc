"""Writes a golden file for each event that has none: ``python tests/golden/build.py``.

A golden file of an event is never rewritten: it is how the event was stored when its
tag came to be. What differs needs a new tag and an upcaster. ``asyncapi.json``, which
tells strangers of all of them, is written anew: what changes in it is for review.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import msgspec
from msgspec import inspect

from domain.event import tag_of
from domain.events import EVENTS
from infra.asyncapi.document import document_of
from infra.codec.shape import Shape
from infra.settings import Settings

FOLDER = Path(__file__).parent / "events"
DEFAULTS = Path(__file__).parent / "defaults.json"
ASYNCAPI = Path(__file__).parent / "asyncapi.json"


def example(event):
    """Fill every field of an event with a value that follows from its name."""
    return event(**{f.name: _value(f.name, f.type) for f in _fields(event)})


def golden(event):
    """Tell an event's fields apart as they are stored: clear and personal."""
    split = Shape(type(event)).split(event)
    personal = None if split.personal is None else msgspec.json.decode(split.personal)
    document = {
        "tag": tag_of(event),
        "clear": msgspec.json.decode(split.clear),
        "personal": personal,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def defaults_of(event):
    """Return a class's defaults by field, as JSON sees them."""
    found = {}
    for field in _fields(event):
        if field.default is not msgspec.NODEFAULT:
            found[field.name] = field.default
        elif field.default_factory is not msgspec.NODEFAULT:
            found[field.name] = field.default_factory()
    return msgspec.json.decode(msgspec.json.encode(found))


def asyncapi():
    """Return the document of two brokers, of no certain version of Palimpsest."""
    told = document_of(Settings(_env_file=None, kafka_bootstrap_servers="one:9092,two"))
    told["info"]["version"] = "any"
    return msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"


def _fields(event):
    return inspect.type_info(event).fields


def _value(name: str, kind: Any) -> Any:  # noqa: C901, PLR0911, PLR0912  one line for each kind
    match kind:
        case inspect.Metadata():
            return _value(name, kind.type)
        case inspect.UnionType():
            return _value(name, next(k for k in kind.types if not _is_none(k)))
        case inspect.StrType():
            return f"{name}-é\u2028"
        case inspect.BoolType():
            return True
        case inspect.IntType():
            return len(name)
        case inspect.FloatType():
            return len(name) / 8
        case inspect.DateTimeType():
            return datetime(2026, 2, 3, 4, 5, 6, 700, tzinfo=UTC)
        case inspect.LiteralType():
            return min(kind.values)
        case inspect.AnyType():
            return {"any": [1, 2.5, None, "x"]}
        case inspect.DictType():
            return {f"{name}-key": _value(name, kind.value_type)}
        case inspect.VarTupleType():
            return (_value(name, kind.item_type),) * 2
        case inspect.ListType():
            return [_value(name, kind.item_type)] * 2
        case inspect.StructType():
            inner = {f.name: _value(f.name, f.type) for f in kind.fields}
            return kind.cls(**inner)
    raise TypeError(f"{name}: no example of {kind}")


def _is_none(kind):
    return isinstance(kind, inspect.NoneType)


def main():
    for event in EVENTS:
        path = FOLDER / f"{tag_of(event)}.json"
        if not path.exists():
            path.write_bytes(golden(example(event)))
            print(f"wrote {path.name}")
    kept = msgspec.json.decode(DEFAULTS.read_bytes()) if DEFAULTS.exists() else {}
    for event in EVENTS:
        kept.setdefault(tag_of(event), {})
        for field, default in defaults_of(event).items():
            kept[tag_of(event)].setdefault(field, default)
    DEFAULTS.write_bytes(
        msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n"
    )
    ASYNCAPI.write_bytes(asyncapi())


if __name__ == "__main__":
    main()
