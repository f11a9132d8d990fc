"""A server whose models are a stub dreams: seen through the published SDK."""

import uuid
from functools import partial

import pytest
from honcho import Honcho

from tests.e2e.test_models import thinking
from tests.support.command import until
from tests.support.load import plain_client
from tests.support.openai_stub import openai_stub
from tests.support.server import running
from tests.support.stub_dreamer import dreaming, dreams

WITHIN = 90.0


@pytest.fixture(scope="module")
def stub():
    with openai_stub(key="k") as running_stub:
        running_stub.otherwise = lambda call: (
            dreaming(call) if dreams(call) else thinking(call)
        )
        yield running_stub


@pytest.fixture(scope="module")
def server(stub, tmp_path_factory):
    data = tmp_path_factory.mktemp("dreams") / "data"
    settings = {
        "LLM_OPENAI_BASE_URL": stub.url,
        "LLM_OPENAI_API_KEY": "k",
        "DERIVER_FLUSH_ENABLED": "true",
        "DREAM_DOCUMENT_THRESHOLD": "3",
        "DREAM_IDLE_TIMEOUT_MINUTES": "0.02",
        "DREAM_MIN_HOURS_BETWEEN_DREAMS": "0",
    }
    with running(data, settings) as started:
        yield started


@pytest.fixture
def honcho(server):
    name = f"dreams-{uuid.uuid4().hex[:8]}"
    client = Honcho(base_url=server.url, workspace_id=name)
    yield client
    client._http.close()


@pytest.fixture
def http(server, honcho):
    with plain_client(f"{server.url}/v3/workspaces/{honcho.workspace_id}") as client:
        yield client


eventually = partial(until, within=WITHIN)


def test_a_dream_that_is_asked_for_concludes_and_keeps_the_card(honcho, http):
    ann = honcho.peer("ann")
    session = honcho.session("s")
    session.add_messages([ann.message("I sail."), ann.message("I swim.")])
    eventually(lambda: len(list(ann.conclusions.list())) == 2)
    honcho.schedule_dream("ann")
    eventually(lambda: honcho.queue_status().completed_work_units == 3)
    texts = {each.content for each in ann.conclusions.list()}
    assert {"ann sails and swims", "ann tends to be on the water"} < texts
    assert ann.get_card() == ["ATTRIBUTE: Sails"]
    told = ann.representation()
    assert "ann sails and swims" in told
    assert "ann tends to be on the water" in told
    confined = http.post(
        "/peers/ann/representation", json={"filters": {"session_id": ["s"]}}
    ).json()["representation"]
    assert "ann sails and swims" in confined, "all it rests on was said there"
    [dream] = http.get("/dreams").json()["items"]
    assert (dream["state"], dream["trigger"], dream["changes"]) == (
        "completed",
        "asked",
        3,
    )
    assert [each["specialist"] for each in dream["specialists"]] == [
        "deduction",
        "induction",
    ]
    first = dream["specialists"][0]
    assert first["created"] == {"deductive": 1}
    assert first["tool_calls"]["update_peer_card"] == 1
    assert first["usage"]["calls"] == 4


def test_lineage_tells_the_dream_and_undoing_what_fell_brings_the_card_back(
    honcho, http
):
    ann = honcho.peer("ann")
    honcho.session("s").add_messages([ann.message("I sail."), ann.message("I swim.")])
    eventually(lambda: len(list(ann.conclusions.list())) == 2)
    honcho.schedule_dream("ann")
    eventually(lambda: honcho.queue_status().completed_work_units == 3)
    deduced = next(c for c in ann.conclusions.list() if "sails and swims" in c.content)
    told = http.get(f"/conclusions/{deduced.id}/lineage").json()
    dream = http.get("/dreams").json()["items"][0]
    assert told["derivation"]["prompt"] == "dream_deduction"
    assert told["derivation"]["run"] == dream["id"]
    [line] = http.get("/peers/ann/card/lines").json()["lines"]
    assert (line["pinned"], line["run"]) == (False, dream["id"])
    [first] = line["conclusion_ids"]
    assert first in {each["id"] for each in told["premises"]}
    forward = http.get(f"/conclusions/{first}/lineage").json()["built_on_it"]
    assert [each["content"] for each in forward["cards"]] == ["ATTRIBUTE: Sails"]
    everything = {"filters": {"session_id": "s"}}
    shown = http.post("/quarantine/preview", json=everything).json()
    assert [each["id"] for each in shown["cards"]] == [line["id"]]
    done = http.post(f"/conclusions/{first}/retract", json={}).json()
    assert deduced.content not in {c.content for c in ann.conclusions.list()}
    assert ann.get_card() == []
    http.post(f"/retractions/{done['unit']}/undo", json={})
    assert deduced.content in {c.content for c in ann.conclusions.list()}
    assert ann.get_card() == ["ATTRIBUTE: Sails"]


def test_enough_that_is_new_and_a_while_of_silence_bring_a_dream(honcho, http):
    ann = honcho.peer("ann")
    honcho.session("s").add_messages(
        [ann.message(f"I {word}.") for word in ("sail", "swim", "row")]
    )
    [dream] = eventually(lambda: http.get("/dreams").json()["items"])
    assert dream["trigger"] == "threshold"
    eventually(lambda: http.get("/dreams").json()["items"][0]["state"] == "completed")
    texts = {each.content for each in ann.conclusions.list()}
    assert "ann sails and swims" in texts
