"""What a model could not be asked is listed and redriven beside a running server."""

import json
from functools import partial

import pytest

from tests.support.command import until
from tests.support.load import plain_client
from tests.support.openai_stub import openai_stub
from tests.support.server import Server
from tests.support.stub_replies import Answer

AT = "/v3/workspaces/w"


@pytest.fixture
def stub():
    with openai_stub(key="k") as running_stub:
        yield running_stub


@pytest.fixture
def served(stub, tmp_path):
    settings = {"LLM_OPENAI_BASE_URL": stub.url, "LLM_OPENAI_API_KEY": "k"}
    server = Server(tmp_path / "data", environment=settings)
    server.start()
    yield server
    server.stop()


eventually = partial(until, within=90)


def test_flushed_listed_and_redriven(looking, served, stub):
    # A wrong key: nobody asks again for five minutes, unless told to.
    stub.otherwise = lambda _: Answer(status=401)
    place = ("--data", str(served.data))
    with plain_client(served.url) as http:
        body = {"messages": [{"peer_id": "ann", "content": "I ski."}]}
        http.post(f"{AT}/sessions/s/messages", json=body)
        listed = looking.run("derivations", "list", *place)
        assert (listed.code, listed.out.strip()) == (0, "everything could be derived")
        assert looking.run("derivations", "flush", "w", "s", *place).out.strip() == (
            "messages 1-1"
        )
        eventually(lambda: http.get(f"{AT}/derivations").json()["items"])
        listed = looking.run("derivations", "list", "--json", *place)
        [range_] = json.loads(listed.out)
        assert (range_["workspace"], range_["session"]) == ("w", "s")
        # It is parked after five attempts, which a slow machine may have made.
        assert range_["state"] in {"failing", "parked"}
        assert range_["first_seq"] == 1
        assert "workspace w: a derivation " in looking.run("status", *place).out
        failures = http.get(f"{AT}/queue/status").json()["failures"]
        assert list(failures.values()) == [1]
        other = {"session_id": "t"}
        assert "failures" not in http.get(f"{AT}/queue/status", params=other).json()

        redriven = looking.run("derivations", "redrive", "w", "s", *place)
        assert (redriven.code, redriven.out.strip()) == (0, "messages 1-1")
        fact = {"peer": "ann", "content": "ann skis", "evidence": [1]}
        stub.otherwise = json.dumps({"explicit": [fact]})
        url = f"{AT}/conclusions/list"
        [held] = eventually(lambda: http.post(url, json={}).json()["items"])
        assert held["content"] == "ann skis"
    nobody = looking.run("derivations", "redrive", "w", "nobody", *place)
    assert nobody.code == 1
    assert "not found" in nobody.err
