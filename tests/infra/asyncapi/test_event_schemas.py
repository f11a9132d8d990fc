"""Schemas of stored events take what is stored, in both forms, and little else."""

import msgspec
import pytest
from jsonschema import Draft202012Validator

from domain.event import tag_of
from domain.events import EVENT_BY_TAG
from infra.asyncapi.event_schemas import alone, stored_events
from infra.codec.shape import Shape, with_seal
from infra.upcasters import UPCASTERS
from tests.golden.build import FOLDER, example
from tests.infra.asyncapi.former import UPCASTERS_OF_TESTS, ThingSaid, ThingSaid2

STORED = stored_events(EVENT_BY_TAG, UPCASTERS)
FILES = sorted(FOLDER.glob("*.json"))


def validator_of(event):
    schema = alone(tag_of(event), event)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def sealed(event):
    split = Shape(type(event)).split(event)
    data = split.clear
    if split.personal is not None:
        data = with_seal(data, 7, b"sealed bytes")
    return msgspec.json.decode(data)


def clear(event):
    split = Shape(type(event)).split(event)
    return msgspec.json.decode(split.clear) | msgspec.json.decode(
        split.personal or b"{}"
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_was_ever_stored_fits_its_schema(file):
    kept = msgspec.json.decode(file.read_bytes())
    validator = validator_of(STORED[kept["tag"]])
    if kept["personal"] is None:
        validator.validate(kept["clear"])
        return
    validator.validate(kept["clear"] | {"key": 3, "sealed": "AAAA"})
    validator.validate(kept["clear"] | kept["personal"])
    validator.validate(kept["clear"] | kept["personal"] | {"key": 3})
    assert not validator.is_valid(
        kept["clear"] | kept["personal"] | {"key": 3, "sealed": "AAAA"}
    )


@pytest.mark.parametrize("event", STORED.values(), ids=tag_of)
def test_what_is_stored_today_fits_and_what_lacks_a_field_does_not(event):
    validator = validator_of(event)
    made = example(event)
    for form in (sealed(made), clear(made)):
        validator.validate(form)
        assert not validator.is_valid({**form, "workspace": 7})
        assert not validator.is_valid(
            {k: v for k, v in form.items() if k != "workspace"}
        )
        validator.validate({**form, "a_field_to_come": True})


@pytest.mark.parametrize("event", STORED.values(), ids=tag_of)
def test_every_field_that_is_stored_is_told(event):
    told = alone(tag_of(event), event)["properties"]
    assert set(told) == set(clear(example(event))) | set(sealed(example(event)))


def test_former_shapes_have_schemas():
    found = stored_events(EVENT_BY_TAG, UPCASTERS_OF_TESTS)
    assert found["thing-said"] is ThingSaid
    assert found["thing-said@2"] is ThingSaid2
    assert alone("thing-said@2", ThingSaid2)["$id"].endswith("thing-said@2")


def test_no_schema_names_what_it_does_not_hold():
    for tag, event in STORED.items():
        schema = alone(tag, event)
        text = msgspec.json.encode(schema).decode()
        for name in schema.get("$defs", ()):
            assert f'"$ref":"#/$defs/{name}"' in text
        assert '"type":{"enum"' not in text
