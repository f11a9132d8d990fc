"""A form filled offline always fits, quotes what is known and invents nothing."""

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.offline.fill import fill
from processors.offline.fits import fits

KNOWN = ["ann likes tea.", "ann is 34."]
TEXT = {"type": "string"}


def of(required=(), **properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
    }


@pytest.mark.parametrize(
    ("form", "with_known", "without"),
    [
        (TEXT, "ann likes tea.\nann is 34.", ""),
        ({"type": "array"}, KNOWN, []),
        ({"type": "array", "items": TEXT}, KNOWN, []),
        ({"type": "array", "items": {"type": "integer"}}, [], []),
        ({"type": "integer"}, 0, 0),
        ({"type": "number"}, 0, 0),
        ({"type": "boolean"}, False, False),
        ({"type": "null"}, None, None),
        ({"enum": ["a", "b"]}, "a", "a"),
        ({"enum": ["a", None]}, None, None),
        ({"type": "integer", "default": 3}, 3, 3),
        ({"type": "integer", "default": "no"}, 0, 0),
        (TEXT | {"default": "?"}, "ann likes tea.\nann is 34.", "?"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, None, None),
        ({"anyOf": [{"type": "null"}, TEXT]}, "ann likes tea.\nann is 34.", None),
        ({"anyOf": [{"type": "integer"}, {"type": "boolean"}]}, 0, 0),
        (of(a=TEXT), {"a": "ann likes tea.\nann is 34."}, {}),
        (
            of(("a",), a=TEXT, b={"type": "integer"}),
            {"a": "ann likes tea.\nann is 34."},
            {"a": ""},
        ),
    ],
)
def test_texts_quote_and_the_rest_is_empty(form, with_known, without):
    assert fill(form, KNOWN) == with_known
    assert fill(form, []) == without


PLAIN = st.sampled_from(["string", "integer", "number", "boolean", "null"])
VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.floats(-1, 1)
    | st.text(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=6,
)


def with_default(form, default, wanted):
    return {**form, "default": default} if wanted else form


FORM = st.recursive(
    st.builds(
        with_default, PLAIN.map(lambda kind: {"type": kind}), VALUE, st.booleans()
    )
    | st.lists(
        st.none() | st.booleans() | st.integers(-2, 2) | st.text(max_size=2),
        min_size=1,
        max_size=3,
    ).map(lambda values: {"enum": values}),
    lambda inner: (
        inner.map(lambda each: {"type": "array", "items": each})
        | st.lists(inner, min_size=1, max_size=3).map(lambda each: {"anyOf": each})
        | st.builds(
            lambda properties, required: of(
                [each for each in required if each in properties], **properties
            ),
            st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            st.sets(st.sampled_from("abc")),
        )
    ),
    max_leaves=8,
)


@given(FORM, st.lists(st.text(max_size=5), max_size=3))
@settings(max_examples=300, deadline=None)
def test_what_is_filled_fits(form, known):
    jsonschema.validate(fill(form, known), form)


@given(FORM, VALUE)
@settings(max_examples=300, deadline=None)
def test_what_fits_agrees_with_json_schema(form, value):
    if fits(value, form):
        jsonschema.validate(value, form)
