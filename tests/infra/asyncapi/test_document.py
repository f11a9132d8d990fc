"""The AsyncAPI document: golden, valid, without secrets, true of what is written."""

import json
import shutil
import subprocess

import pytest
from jsonschema import Draft7Validator

from infra.asyncapi.document import component, document_of
from infra.asyncapi.event_schemas import stored_events
from infra.asyncapi.headers import HEADERS, SOMETIMES, header_example, headers_schema
from infra.kafka.record import outgoing
from infra.kafka.topics import _configs
from infra.settings import Settings
from tests.golden.build import ASYNCAPI, asyncapi
from tests.infra.asyncapi.former import UPCASTERS_OF_TESTS
from tests.infra.kafka.test_record import ROW

WHO = {"kafka_sasl_username": "u", "kafka_sasl_password": "p"}
SPECS = "@asyncapi/specs@6.11.1"


def settings(**given):
    return Settings(_env_file=None, kafka_bootstrap_servers="one:9092,two", **given)


def test_the_document_is_the_golden_one():
    assert asyncapi() == ASYNCAPI.read_bytes(), 'run "python tests/golden/build.py"'


@pytest.mark.node
def test_the_document_is_one_of_asyncapi_3(tmp_path):
    npm = shutil.which("npm")
    flags = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    subprocess.run(
        [npm, "install", *flags, SPECS], cwd=tmp_path, check=True, capture_output=True
    )
    schemas = tmp_path / "node_modules" / "@asyncapi" / "specs" / "schemas"
    validator = Draft7Validator(json.loads((schemas / "3.0.0.json").read_text()))
    guarded = settings(
        kafka_security_protocol="SASL_SSL",
        **WHO,
    )
    former = stored_events({}, UPCASTERS_OF_TESTS)
    for told in (document_of(settings()), document_of(guarded, former)):
        assert [each.message for each in validator.iter_errors(told)] == []
    broken = document_of(settings()) | {"channels": {"events": {"address": 7}}}
    assert not validator.is_valid(broken)


def test_every_reference_leads_somewhere():
    told = document_of(settings(kafka_security_protocol="SASL_PLAINTEXT", **WHO))
    for ref in refs(told):
        found = told
        for part in ref.removeprefix("#/").split("/"):
            found = found[part]


def refs(told):
    if isinstance(told, dict):
        if isinstance(told.get("$ref"), str):
            yield told["$ref"]
        told = list(told.values())
    if isinstance(told, list):
        for each in told:
            yield from refs(each)


def test_addresses_are_those_of_the_settings():
    told = document_of(settings(kafka_topic="ours.events", kafka_partitions=7))
    events = told["channels"]["events"]
    assert events["address"] == events["bindings"]["kafka"]["topic"] == "ours.events"
    assert {each["host"] for each in told["servers"].values()} == {"one:9092", "two"}
    kafka = events["bindings"]["kafka"]
    assert (kafka["partitions"], kafka["replicas"]) == (7, 1)
    made = _configs(1)
    letters = document_of(settings(kafka_dead_letters_topic="ours.dead"))["channels"]
    assert letters["deadLetters"]["address"] == "ours.dead"
    assert kept(kafka) == {name: made[name] for name in kept(kafka)}
    nowhere = document_of(Settings(_env_file=None, kafka_bootstrap_servers=None))
    assert nowhere["servers"] == {}


def kept(kafka):
    """How a topic is kept, as brokers spell it."""
    return {
        name: ",".join(value) if isinstance(value, list) else str(value)
        for name, value in kafka["topicConfiguration"].items()
    }


@pytest.mark.parametrize(
    ("given", "scheme", "protocol"),
    [
        ({"kafka_sasl_mechanism": "PLAIN"}, "plain", "kafka-secure"),
        ({}, "scramSha512", "kafka-secure"),
        ({"kafka_security_protocol": "SSL", "kafka_ssl_certfile": "c"}, "X509", None),
        ({"kafka_security_protocol": "SASL_PLAINTEXT"}, "scramSha512", "kafka"),
    ],
)
def test_what_opens_the_brokers_is_named_and_not_told(given, scheme, protocol):
    secrets = {
        "kafka_security_protocol": "SASL_SSL",
        "kafka_sasl_username": "hush-name",
        "kafka_sasl_password": "hush-word",
        "kafka_ssl_keyfile": "/hush/key",
    }
    told = document_of(settings(**(secrets | given)))
    (found,) = told["components"]["securitySchemes"].values()
    assert found["type"] == scheme
    server = told["servers"]["broker1"]
    assert server["security"]
    assert server["protocol"] == protocol or protocol is None
    assert "hush" not in json.dumps(told)


def test_a_former_shape_has_a_message_of_its_own():
    told = document_of(settings(), stored_events({}, UPCASTERS_OF_TESTS))
    assert set(told["channels"]["events"]["messages"]) == {"thing-said", "thing-said.2"}
    message = told["components"]["messages"][component("thing-said@2")]
    assert message["name"] == "thing-said@2"


def test_headers_are_told_as_they_are_written():
    written = {k: v.decode() for k, v in outgoing(ROW, ROW.data, "sealed").headers}
    assert list(written) == list(HEADERS)
    validator = Draft7Validator(headers_schema())
    validator.validate(written)
    validator.validate(header_example())
    assert not validator.is_valid(written | {"ce_position": "first"})
    assert not validator.is_valid(written | {"ce_content": "open"})
    damaged = {
        k: v.decode()
        for k, v in outgoing(ROW, ROW.data, "sealed", damaged=True).headers
    }
    assert list(damaged) == [*HEADERS, *SOMETIMES]
    validator.validate(damaged)
