"""What the description promises holds for whatever is sent: no 5xx, no other status.

In CI each operation is asked a few times; ``-m long`` asks 400 times each, more than
20,000 requests in all.
"""

import os
from zlib import crc32

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import status_code_conformance

CHECKS = (not_a_server_error, status_code_conformance)
FEW, MANY = 8, 400
KNOWN = {"workspace": "known", "peer": "alice", "session": "s", "scope": "team"}


def map_path_parameters(_context, parameters):
    """Let half of what is asked be about what there is."""
    if parameters and crc32(str(parameters).encode()) % 2:
        return {name: KNOWN.get(name, value) for name, value in parameters.items()}
    return parameters


def map_query(_context, query):
    """Ask for no position the log will never reach: that is a 504, as described."""
    if query and isinstance(query.get("min_position"), int):
        return query | {"min_position": min(query["min_position"], 1)}
    return query


@pytest.fixture(scope="module")
def described(open_server):
    """The description of a server that has something of each kind."""
    read = schemathesis.openapi.from_url(f"{open_server.url}/openapi.json")
    read.hook(map_path_parameters)
    read.hook(map_query)
    return read


def asking(examples):
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize="CI" in os.environ,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def ask_everything(described, examples):
    """Ask every operation so many things; tell all that went wrong."""
    wrong = []
    for found in described.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @asking(examples)
        def answers_as_described(case):
            case.call_and_validate(checks=CHECKS, timeout=120)

        try:
            answers_as_described()
        except BaseExceptionGroup as failures:
            wrong += [f"{operation.label}: {each}" for each in failures.exceptions]
    assert wrong == []


def test_every_operation_answers_as_described(described):
    ask_everything(described, FEW)


@pytest.mark.long
def test_every_operation_answers_as_described_however_often(described):
    ask_everything(described, MANY)
