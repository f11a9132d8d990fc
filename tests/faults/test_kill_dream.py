"""The server is killed with -9 in the middle of a dream: it goes on, nothing twice."""

import signal
from functools import partial

import pytest

from tests.e2e.test_models import thinking
from tests.support.command import until
from tests.support.load import plain_client
from tests.support.openai_stub import openai_stub
from tests.support.server import Server
from tests.support.stopped import rebuilt_equals_live
from tests.support.stub_dreamer import dreaming, dreams

WITHIN = 60.0
AT = "/v3/workspaces/killed"


class Stub:
    """Dreams as far as a step, and there keeps the call open until it is let go."""

    def __init__(self, stub):
        self.stub = stub
        self.held = 0
        self.hold_at = 0
        stub.otherwise = self.answer

    def answer(self, call):
        if not dreams(call):
            return thinking(call)
        steps = sum(each["role"] == "tool" for each in call.body["messages"])
        if self.hold_at and steps >= self.hold_at:
            self.held += 1
            call.left.wait(WITHIN)
        return dreaming(call)


@pytest.fixture
def stub():
    with openai_stub(key="k") as running:
        yield Stub(running)


@pytest.fixture
def server(stub, tmp_path):
    settings = {
        "LLM_OPENAI_BASE_URL": stub.stub.url,
        "LLM_OPENAI_API_KEY": "k",
        "DERIVER_FLUSH_ENABLED": "true",
    }
    server = Server(tmp_path / "data", environment=settings)
    server.start()
    yield server
    if server.process.poll() is None:
        assert server.stop() == 0
    rebuilt_equals_live(server.data)


eventually = partial(until, within=WITHIN)


def concluded(http):
    items = http.post(f"{AT}/conclusions/list", json={}).json()["items"]
    return sorted(each["content"] for each in items)


def test_a_dream_that_was_killed_goes_on_and_concludes_nothing_twice(server, stub):
    with plain_client(server.url) as http:
        said = [
            {"peer_id": "ann", "content": f"I {word}."} for word in ("sail", "swim")
        ]
        http.post(f"{AT}/sessions/s/messages", json={"messages": said})
        eventually(lambda: len(concluded(http)) == 2)
        for step in (2, 3):
            stub.hold_at, stub.held = step, 0
            body = {"observer": "ann", "dream_type": "omni"}
            assert http.post(f"{AT}/schedule_dream", json=body).status_code == 204
            eventually(lambda: stub.held)
            server.process.send_signal(signal.SIGKILL)
            server.process.wait(WITHIN)
            server.start()
        stub.hold_at = 0
        [dream] = eventually(
            lambda: [
                each
                for each in http.get(f"{AT}/dreams").json()["items"]
                if each["state"] == "completed"
            ]
        )
        assert concluded(http) == [
            "ann sails and swims",
            "ann tends to be on the water",
            "ann told: I sail.",
            "ann told: I swim.",
        ]
        card = http.get(f"{AT}/peers/ann/card").json()["peer_card"]
        assert card == ["ATTRIBUTE: Sails"]
        assert dream["attempt"] == 1
        assert [each["created"] for each in dream["specialists"]] == [
            {"deductive": 1},
            {"inductive": 1},
        ]
        assert len(http.get(f"{AT}/dreams").json()["items"]) == 1
    asked = sum(dreams(call) for call in stub.stub.calls)
    assert asked == 9, "seven calls, and two again that were never answered"
