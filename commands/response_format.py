"""The form an answer is asked for in: a subset of JSON Schema (HC 6.8)."""

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from domain.errors import Invalid

MOST_NODES: Final = 500
MOST_LEVELS: Final = 20

_LONGEST: Final = 500
"""Most characters of a reason, and of a path, that are sent back."""

_PLAIN: Final = frozenset({"string", "integer", "number", "boolean", "null"})
_REFUSED: Final = ("allOf", "not", "if", "then", "else", "patternProperties")
_UNIONS: Final = ("anyOf", "oneOf")
_DEFINITIONS: Final = ("$defs", "definitions")

Schema = Mapping[str, Any]
Node = dict[str, Any]


class AnswerForm(msgspec.Struct, frozen=True):
    """A form every answer can be checked against.

    ``schema`` is what is enforced: types, enumerations, required properties, with
    every reference resolved; it holds nothing but ``type``, ``enum``, ``anyOf``,
    ``properties``, ``required``, ``items``, ``default`` and ``description``.
    ``shown`` is the schema as it was sent, with its hints; only that an object is one
    is always said, and a reference at the root is followed: models want both.
    """

    schema: Node
    shown: Node


def read_response_format(sent: Schema) -> AnswerForm:
    """Return the form a JSON Schema asks for.

    Raises:
        Invalid: ``Invalid response_format: <reason> at <dotted path>``.
    """
    reading = _Reading(sent)
    form = AnswerForm(reading.root(), _saying_objects(reading.shown_root()))
    try:
        json.dumps(sent, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise _Place().wrong("a name or a text has lone surrogates") from None
    return form


class _Place(msgspec.Struct, frozen=True):
    """Where in the schema we are, how deep, and through which references."""

    path: tuple[str, ...] = ()
    level: int = 1
    through: tuple[str, ...] = ()

    def below(self, *parts: str) -> "_Place":
        return _Place((*self.path, *parts), self.level + 1, self.through)

    def behind(self, name: str) -> "_Place":
        return _Place(self.path, self.level, (*self.through, name))

    def wrong(self, reason: str) -> Invalid:
        path = ".".join(self.path) or "root"
        text = f"Invalid response_format: {reason[:_LONGEST]} at {path[-_LONGEST:]}"
        # Names are whatever was sent, lone surrogates too.
        return Invalid(text.encode(errors="replace").decode())


class _Reading:
    """One reading of one schema: its definitions, and how many nodes it had."""

    def __init__(self, sent: Schema) -> None:
        self._sent = sent
        self._nodes = 0

    def root(self) -> Node:
        """Read the root, which must be an object."""
        place = _Place()
        schema, place = self._resolved(self._sent, place)
        kind = schema.get("type", "object" if "properties" in schema else None)
        if kind != "object" or any(union in schema for union in _UNIONS):
            raise place.wrong("root schema must have type 'object'")
        return self._node(schema, place)

    def shown_root(self) -> Schema:
        """Return the root, which was read, with its definitions."""
        kept = {name: self._sent[name] for name in _DEFINITIONS if name in self._sent}
        return {**self._resolved(self._sent, _Place())[0], **kept}

    def _node(self, sent: Any, place: _Place) -> Node:
        """Read one schema and all below it."""
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise place.wrong(f"schema has more than {MOST_NODES} nodes")
        if place.level > MOST_LEVELS:
            raise place.wrong(f"schema is nested deeper than {MOST_LEVELS} levels")
        schema, place = self._resolved(sent, place)
        _check_keywords(schema, place)
        node = self._shape(schema, place)
        if isinstance(schema.get("description"), str):
            node["description"] = schema["description"]
        if "default" in schema:
            node["default"] = schema["default"]
        return node

    def _shape(self, schema: Schema, place: _Place) -> Node:
        if "enum" in schema:
            return {"enum": _enumerated(schema["enum"], place)}
        for union in _UNIONS:
            if union in schema:
                return {"anyOf": self._either(schema[union], union, place)}
        kind = schema.get("type", "object" if "properties" in schema else None)
        if isinstance(kind, list):
            if not kind:
                raise place.wrong("'type' must not be empty")
            return {"anyOf": [self._typed(each, schema, place) for each in kind]}
        return self._typed(kind, schema, place)

    def _typed(self, kind: Any, schema: Schema, place: _Place) -> Node:
        if kind is None:
            raise place.wrong("schema has no recognizable type")
        if kind == "object":
            return self._object(schema, place)
        if kind == "array":
            if "items" not in schema:
                return {"type": "array"}
            return {
                "type": "array",
                "items": self._node(schema["items"], place.below("items")),
            }
        if not isinstance(kind, str) or kind not in _PLAIN:
            raise place.wrong(f"unsupported type {kind!r}")
        return {"type": kind}

    def _object(self, schema: Schema, place: _Place) -> Node:
        properties = schema.get("properties", {})
        if not isinstance(properties, Mapping):
            raise place.wrong("'properties' must be an object")
        required = schema.get("required", [])
        if not isinstance(required, list) or not all(
            isinstance(each, str) for each in required
        ):
            raise place.wrong("'required' must be a list of strings")
        return {
            "type": "object",
            "properties": {
                name: self._node(each, place.below("properties", name))
                for name, each in properties.items()
            },
            "required": [n for n in dict.fromkeys(required) if n in properties],
        }

    def _either(self, options: Any, union: str, place: _Place) -> list[Node]:
        if not isinstance(options, list) or not options:
            raise place.wrong(f"'{union}' must be a non-empty list")
        return [
            self._node(each, place.below(union, str(number)))
            for number, each in enumerate(options)
        ]

    def _resolved(self, sent: Any, place: _Place) -> tuple[Schema, _Place]:
        """Follow references; what stands beside one overlays its target."""
        schema = _checked(sent, place)
        while "$ref" in schema:
            name = schema["$ref"]
            target = self._target(name, place)
            if name in place.through:
                cycle = [*place.through[place.through.index(name) :], name]
                shown = " -> ".join(each.rpartition("/")[2] for each in cycle)
                raise place.wrong(f"recursive $ref is not supported (cycle: {shown})")
            place = place.behind(name)
            beside = {key: each for key, each in schema.items() if key != "$ref"}
            schema = {**_checked(target, place), **beside}
        return schema, place

    def _target(self, name: Any, place: _Place) -> Any:
        parts = name.split("/") if isinstance(name, str) else []
        if len(parts) != 3 or parts[0] != "#" or parts[1] not in _DEFINITIONS:  # noqa: PLR2004  "#", where, which
            raise place.wrong(f"unsupported $ref {name!r}")
        definitions = self._sent.get(parts[1])
        which = parts[2].replace("~1", "/").replace("~0", "~")
        if not isinstance(definitions, Mapping) or which not in definitions:
            raise place.wrong(f"unknown $ref {name!r}")
        return definitions[which]


def _saying_objects(schema: Any, levels: int = MOST_LEVELS) -> Any:
    """Say of every object that it is one; what is deeper nothing refers to."""
    if not isinstance(schema, Mapping) or not levels:
        return schema
    said = dict(schema)

    def below(each: Any) -> Any:
        return _saying_objects(each, levels - 1)

    for names in ("properties", *_DEFINITIONS):
        if isinstance(said.get(names), Mapping):
            said[names] = {name: below(each) for name, each in said[names].items()}
    for union in _UNIONS:
        if isinstance(said.get(union), list):
            said[union] = [below(each) for each in said[union]]
    if "items" in said:
        said["items"] = below(said["items"])
    if "properties" in said and not said.keys() & {"type", "enum", "$ref", *_UNIONS}:
        said["type"] = "object"
    return said


def _checked(sent: Any, place: _Place) -> Schema:
    if isinstance(sent, bool):
        raise place.wrong("boolean schemas are not supported")
    if not isinstance(sent, Mapping):
        raise place.wrong("schema must be an object")
    return sent


def _check_keywords(schema: Schema, place: _Place) -> None:
    for keyword in _REFUSED:
        if keyword in schema:
            raise place.wrong(f"'{keyword}' is not supported")
    if not isinstance(schema.get("additionalProperties", True), bool):
        raise place.wrong("schema-valued 'additionalProperties' is not supported")
    for keyword in _DEFINITIONS:
        if keyword in schema and place.path:
            raise place.wrong(f"'{keyword}' is only supported at the root")


def _enumerated(values: Any, place: _Place) -> list[Any]:
    if not isinstance(values, list) or not values:
        raise place.wrong("'enum' must be a non-empty list")
    for value in values:
        if value is not None and not isinstance(value, str | int):
            raise place.wrong(
                "'enum' values must be strings, integers, booleans or null"
            )
    return list(values)
