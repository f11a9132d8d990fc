"""One pair of servers for all these tests; each works in a workspace of its own."""

import json
import re
import uuid
from contextlib import ExitStack

import pytest

from tests.support.load import plain_client
from tests.support.openai_stub import openai_stub
from tests.support.pair import running_pair
from tests.support.receiver import receiving


def thinking(call):
    """Conclude what each line says, sum up in a word, answer with another."""
    if "response_format" in call.body:
        _, _, told = call.text.partition("The peers:")
        lines = re.findall(r"^\[(\d+)\] \S+ \S+ (\S+): I (.*)$", told, re.MULTILINE)
        facts = [
            {"peer": peer, "content": f"{peer} told: I {words}", "evidence": [int(n)]}
            for n, peer, words in lines
        ]
        return json.dumps({"explicit": facts})
    return "Summed up." if "At most" in call.text else "Answered. [[sources: none]]"


@pytest.fixture(scope="session")
def stub():
    with openai_stub(key="k") as running_stub:
        running_stub.otherwise = thinking
        yield running_stub


@pytest.fixture(scope="session")
def receiver():
    with receiving() as listening:
        yield listening


@pytest.fixture(scope="session")
def pair(postgres_address, tmp_path_factory, stub):
    told = {
        "DELETION_GRACE_SECONDS": "0",
        "DERIVER_FLUSH_ENABLED": "true",
        "DERIVER_MODEL_CONFIG__OVERRIDES__BASE_URL": stub.url,
        "DERIVER_MODEL_CONFIG__OVERRIDES__API_KEY": "k",
        "WEBHOOK_SECRET": "a secret of these tests",
    }
    folder = tmp_path_factory.mktemp("pair")
    with running_pair(postgres_address, folder, told) as pair:
        yield pair


@pytest.fixture
def both(pair):
    """A client of each server."""
    with ExitStack() as stack:
        yield [stack.enter_context(plain_client(url)) for url in pair.urls]


@pytest.fixture
def at():
    return f"/v3/workspaces/pair-{uuid.uuid4().hex[:8]}"
