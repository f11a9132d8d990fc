"""What forms an answer may be asked for in, and why others are refused (HC 6.8)."""

import re

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from commands.response_format import read_response_format
from domain.errors import Invalid

TEXT = {"type": "string"}


def of(**properties):
    return {"type": "object", "properties": properties}


def nested(levels):
    """A schema of so many levels."""
    inner = TEXT
    for _ in range(levels - 1):
        inner = of(a=inner)
    return inner


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({}, "root schema must have type 'object' at root"),
        ({"type": "string"}, "root schema must have type 'object' at root"),
        ({"type": "array"}, "root schema must have type 'object' at root"),
        ({"type": ["object"]}, "root schema must have type 'object' at root"),
        ({"anyOf": [of()]}, "root schema must have type 'object' at root"),
        (
            {"$ref": "#/$defs/A", "$defs": {"A": TEXT}},
            "root schema must have type 'object' at root",
        ),
        (of(a={}), "schema has no recognizable type at properties.a"),
        (of(a={"const": 1}), "schema has no recognizable type at properties.a"),
        (of(a={"items": TEXT}), "schema has no recognizable type at properties.a"),
        (
            of(a={"type": "array", "items": {}}),
            "schema has no recognizable type at properties.a.items",
        ),
        (of(a={"type": "date"}), "unsupported type 'date' at properties.a"),
        (of(a={"type": 3}), "unsupported type 3 at properties.a"),
        (of(a={"type": []}), "'type' must not be empty at properties.a"),
        (of(a={"type": [["string"]]}), "unsupported type ['string'] at properties.a"),
        (
            of(a={"enum": [1.5]}),
            "'enum' values must be strings, integers, booleans or null at properties.a",
        ),
        (
            of(a={"enum": [[]]}),
            "'enum' values must be strings, integers, booleans or null at properties.a",
        ),
        (of(a={"enum": []}), "'enum' must be a non-empty list at properties.a"),
        (of(a={"anyOf": []}), "'anyOf' must be a non-empty list at properties.a"),
        (of(a={"oneOf": TEXT}), "'oneOf' must be a non-empty list at properties.a"),
        (
            of(a={"anyOf": [TEXT, {}]}),
            "schema has no recognizable type at properties.a.anyOf.1",
        ),
        (of(a=TEXT | {"allOf": [TEXT]}), "'allOf' is not supported at properties.a"),
        (of(a=TEXT | {"not": TEXT}), "'not' is not supported at properties.a"),
        (of() | {"if": {}}, "'if' is not supported at root"),
        (of() | {"then": {}}, "'then' is not supported at root"),
        (of() | {"else": {}}, "'else' is not supported at root"),
        (
            of() | {"patternProperties": {}},
            "'patternProperties' is not supported at root",
        ),
        (of(a=True), "boolean schemas are not supported at properties.a"),
        (of(a=[]), "schema must be an object at properties.a"),
        (
            of() | {"additionalProperties": TEXT},
            "schema-valued 'additionalProperties' is not supported at root",
        ),
        (
            of(a=of() | {"$defs": {}}),
            "'$defs' is only supported at the root at properties.a",
        ),
        (
            of(a=TEXT | {"definitions": {}}),
            "'definitions' is only supported at the root at properties.a",
        ),
        (of(a={"$ref": "#/$defs/A"}), "unknown $ref '#/$defs/A' at properties.a"),
        (of(a={"$ref": "#"}), "unsupported $ref '#' at properties.a"),
        (of(a={"$ref": 1}), "unsupported $ref 1 at properties.a"),
        (of(a={"$ref": "http://x/y"}), "unsupported $ref 'http://x/y' at properties.a"),
        (
            of(a={"$ref": "#/$defs/B"}) | {"$defs": {"B": of(c={"$ref": "#/$defs/B"})}},
            (
                "recursive $ref is not supported (cycle: B -> B)"
                " at properties.a.properties.c"
            ),
        ),
        (
            of(a={"$ref": "#/$defs/B"})
            | {
                "$defs": {
                    "B": of(c={"$ref": "#/$defs/C"}),
                    "C": of(b={"$ref": "#/$defs/B"}),
                }
            },
            (
                "recursive $ref is not supported (cycle: B -> C -> B)"
                " at properties.a.properties.c.properties.b"
            ),
        ),
        (
            of(a={"$ref": "#/$defs/B"}) | {"$defs": {"B": {"$ref": "#/$defs/B"}}},
            "recursive $ref is not supported (cycle: B -> B) at properties.a",
        ),
        (of() | {"properties": []}, "'properties' must be an object at root"),
        (of() | {"required": "a"}, "'required' must be a list of strings at root"),
        (
            nested(21),
            "schema is nested deeper than 20 levels at "
            + ".".join(["properties.a"] * 20),
        ),
        (
            of(**{f"p{n}": TEXT for n in range(500)}),
            "schema has more than 500 nodes at properties.p499",
        ),
    ],
)
def test_what_is_not_supported_is_refused_with_its_reason(sent, reason):
    with pytest.raises(Invalid) as raised:
        read_response_format(sent)
    assert str(raised.value) == f"Invalid response_format: {reason}"


@pytest.mark.parametrize(
    "sent",
    [
        {"type": "object"},
        {"properties": {}},
        {"$ref": "#/$defs/A", "$defs": {"A": of(a=TEXT)}},
        {"$ref": "#/definitions/A", "definitions": {"A": {"properties": {}}}},
        of(a={"type": "array"}),
        of(a={"properties": {"b": TEXT}}),
        of(a={"type": ["string", "null"]}),
        of(a={"enum": ["x", 1, True, None]}),
        of(a={"anyOf": [TEXT, {"type": "null"}]}, b={"oneOf": [TEXT]}),
        of(a=TEXT) | {"required": ["a", "b"], "$schema": "x"},
        of(a=TEXT | {"const": "x", "pattern": "y", "minLength": 3, "format": "date"}),
        of() | {"additionalProperties": False},
        nested(20),
        of(**{f"p{n}": TEXT for n in range(499)}),
    ],
)
def test_what_is_supported_passes(sent):
    form = read_response_format(sent)
    assert form.shown["type"] == "object"
    jsonschema.Draft202012Validator.check_schema(form.schema)


def test_that_an_object_is_one_is_always_shown():
    inner = {"properties": {"b": {"type": "string", "minLength": 2}}}
    sent = {
        "properties": {
            "a": inner,
            "many": {"type": "array", "items": inner},
            "either": {"anyOf": [inner, {"type": "null"}]},
            "properties": {"type": "string"},
        }
    }
    typed = {"type": "object", **inner}
    assert read_response_format(sent).shown == {
        "type": "object",
        "properties": {
            "a": typed,
            "many": {"type": "array", "items": typed},
            "either": {"anyOf": [typed, {"type": "null"}]},
            "properties": {"type": "string"},
        },
    }


def test_definitions_nothing_refers_to_may_be_as_deep_as_they_like():
    deep = {"type": "string"}
    for _ in range(100):
        deep = {"properties": {"a": deep}}
    sent = {"type": "object", "$defs": {"unused": deep}}
    assert read_response_format(sent).shown.keys() == {"type", "$defs"}


def test_a_reference_at_the_root_is_followed_in_what_is_shown():
    definitions = {
        "A": {"properties": {"b": {"$ref": "#/$defs/B"}}},
        "B": {"type": "string", "format": "date"},
    }
    sent = {"$ref": "#/$defs/A", "description": "What", "$defs": definitions}
    assert read_response_format(sent).shown == {
        "type": "object",
        "description": "What",
        "properties": {"b": {"$ref": "#/$defs/B"}},
        "$defs": {**definitions, "A": {"type": "object", **definitions["A"]}},
    }


def test_hints_are_shown_and_not_enforced():
    sent = of(a=TEXT | {"pattern": "^x$", "const": "x", "description": "An x."})
    form = read_response_format(sent | {"required": ["a", "nobody"]})
    assert form.schema == {
        "type": "object",
        "properties": {"a": {"type": "string", "description": "An x."}},
        "required": ["a"],
    }


def test_what_stands_beside_a_reference_overlays_its_target():
    sent = of(a={"$ref": "#/$defs/A", "description": "mine"}) | {
        "$defs": {"A": TEXT | {"description": "theirs", "default": "d"}}
    }
    assert read_response_format(sent).schema["properties"]["a"] == {
        "type": "string",
        "description": "mine",
        "default": "d",
    }


def test_references_that_multiply_are_counted_as_what_they_stand_for():
    definitions = {
        f"D{n}": of(a={"$ref": f"#/$defs/D{n + 1}"}, b={"$ref": f"#/$defs/D{n + 1}"})
        for n in range(15)
    }
    sent = {"$ref": "#/$defs/D0", "$defs": {**definitions, "D15": TEXT}}
    with pytest.raises(Invalid, match="more than 500 nodes"):
        read_response_format(sent)


@pytest.mark.parametrize(
    "sent", [of(**{"\ud800": TEXT}), of(a=TEXT | {"default": "\ud800"})]
)
def test_what_no_answer_could_hold_is_refused(sent):
    with pytest.raises(Invalid, match="lone surrogates at root"):
        read_response_format(sent)


class Pet(BaseModel):
    name: str
    age: int | None = None


class Profile(BaseModel):
    """What pydantic makes of a class like this is what the SDK sends."""

    summary: str
    pets: list[Pet]
    favourite: Pet | None = None
    score: float = 0.5
    sure: bool


def test_a_pydantic_class_is_a_form():
    form = read_response_format(Profile.model_json_schema())
    assert form.schema["required"] == ["summary", "pets", "sure"]
    good = {"summary": "x", "pets": [{"name": "Rex"}], "sure": True}
    jsonschema.validate(good, form.schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(good | {"sure": "yes"}, form.schema)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "items", "$ref", "$defs", "enum", "anyOf", "a"]
            )
            | st.text(max_size=3),
            inner | st.sampled_from(["object", "string", "#/$defs/a", "array"]),
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(["type", "properties", "$ref", "$defs"]), JSON))
@settings(max_examples=300, deadline=None)
def test_whatever_is_sent_is_read_or_refused(sent):
    try:
        schema = read_response_format(sent).schema
    except Invalid as refusal:
        refused = str(refusal)
    else:
        refused = None
        jsonschema.Draft202012Validator.check_schema(schema)
    pattern = r"Invalid response_format: .+ at .+"
    assert refused is None or re.fullmatch(pattern, refused, re.DOTALL)


def test_names_that_are_no_text_can_be_told_back():
    with pytest.raises(Invalid) as raised:
        read_response_format(of(**{"\ud800": {}}))
    assert str(raised.value).endswith(" at properties.?")
