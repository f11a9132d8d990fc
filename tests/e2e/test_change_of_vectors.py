"""From one model of vectors to another and back, on a server that goes on answering."""

import json
import subprocess
import threading
from functools import partial

import httpx
import pytest

from tests.support.command import until
from tests.support.load import plain_client
from tests.support.openai_stub import openai_stub
from tests.support.server import Server, palimpsest, running

WITHIN = 120.0
AT = "/v3/workspaces/w"
PAIR = {"observer_id": "ann", "observed_id": "ann"}
SAID = [f"I like mill number {n} by the river." for n in range(60)]
BUNDLED = "all-minilm-l6-v2-int8"
OTHER = "text-embedding-3-small"


@pytest.fixture
def stub():
    with openai_stub(key="k") as running_stub:
        yield running_stub


@pytest.fixture
def data(tmp_path):
    """A folder whose memory was embedded by the bundled model."""
    folder = tmp_path / "data"
    with running(folder) as server, plain_client(server.url) as http:
        for start in range(0, len(SAID), 50):
            say(http, *SAID[start : start + 50])
        conclude(http, "Ann grows tomatoes.")
        eventually(
            lambda: not any(e["lag_events"] for e in status(folder)["consumers"])
        )
    return folder


def provider(stub, model=OTHER):
    return {
        "EMBEDDING_MODEL_CONFIG__OVERRIDES__BASE_URL": stub.url,
        "EMBEDDING_MODEL_CONFIG__OVERRIDES__API_KEY": "k",
        "EMBEDDING_MODEL_CONFIG__MODEL": model,
        "EMBEDDING_MODEL_CONFIG__MAX_BATCH_SIZE": "4",
    }


def say(http, *words):
    body = {"messages": [{"peer_id": "ann", "content": each} for each in words]}
    answer = http.post(f"{AT}/sessions/s/messages", json=body)
    assert answer.status_code == 201, answer.text


def conclude(http, words):
    answer = http.post(
        f"{AT}/conclusions", json={"conclusions": [{"content": words} | PAIR]}
    )
    assert answer.status_code == 201, answer.text


def query(http, words, **more):
    body = {"query": words, "filters": PAIR, "top_k": 100}
    return http.post(f"{AT}/conclusions/query", json=body | more)


eventually = partial(until, within=WITHIN)


def status(data):
    told = subprocess.run(
        palimpsest("status", "--json", "--data", str(data)),
        check=True,
        capture_output=True,
    )
    return json.loads(told.stdout)


def standing(data, model=None):
    found = status(data)["vectors"]
    return found if model is None else next(e for e in found if e["model"] == model)


def serves(data):
    return next(e["model"] for e in standing(data) if e["state"] == "serving")


class Reader:
    """Asks all the time; keeps what failed, and which sizes of answers it saw."""

    def __init__(self, url, most):
        self.failures, self.fewest, self.asked = [], most, 0
        self._ends = threading.Event()
        self._url, self._most = url, most
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()

    def _run(self):
        with plain_client(self._url) as http:
            while not self._ends.is_set():
                self._ask(http)

    def _ask(self, http):
        number = self.asked = self.asked + 1
        try:
            found = query(http, f"tomatoes {number}")
            searched = http.post(
                f"{AT}/search", json={"query": f"mill {number} by the river"}
            )
            shown = http.post(
                f"{AT}/peers/ann/representation",
                json={"search_query": f"What grows {number}?"},
            )
        except httpx.HTTPError as error:
            self.failures.append(repr(error))
            return
        for each in (found, searched, shown):
            if each.status_code != 200 or not each.json():
                self.failures.append((each.status_code, each.text[:200]))
        if found.status_code == 200:
            self.fewest = min(self.fewest, len(found.json()))


def concluded(http):
    """Count what is found; who asks while the model is loaded may be told to wait."""

    def answer():
        found = query(http, "anything at all")
        return found if found.status_code == 200 else None

    return len(eventually(answer).json())


def test_the_old_collection_serves_until_the_new_one_is_full(data, stub):
    stub.embeddings_wait = 0.02
    stub.embeddings_flow.clear()
    with (
        running(data, provider(stub)) as server,
        plain_client(server.url) as http,
    ):
        before = concluded(http)
        assert before > 1
        then = int(query(http, "tomatoes").headers["x-position"])
        with Reader(server.url, before) as reader:
            changing = http.get("/health").json()["vectors"]
            assert (changing["from"], changing["to"]) == (BUNDLED, OTHER)
            filling = standing(data, OTHER)
            assert (filling["state"], filling["dimensions"]) == ("filling", 1_536)
            conclude(http, "Ann keeps bees.")
            assert "Ann keeps bees." in _texts(query(http, "bees"))
            stub.embeddings_flow.set()
            eventually(lambda: "vectors" not in http.get("/health").json())
            conclude(http, "Ann sails.")
            assert "Ann sails." in _texts(query(http, "sails"))
            assert "Ann keeps bees." in _texts(query(http, "bees"))
            asked = reader.asked
            eventually(lambda: reader.asked > asked + 5)
        assert reader.failures == []
        assert reader.fewest == before
        assert serves(data) == OTHER
        assert then < standing(data, OTHER)["since"]
        body = {"query": "tomatoes", "filters": PAIR, "top_k": 100}
        past = http.post(f"{AT}/conclusions/query?as_of={then}", json=body)
        assert len(past.json()) == before
    former = {
        "EMBEDDING_FORMER__BASE_URL": stub.url,
        "EMBEDDING_FORMER__API_KEY": "k",
    }
    stub.embeddings_wait = 0.0
    with (
        running(data, former) as back,
        plain_client(back.url) as http,
        Reader(back.url, before) as reader,
    ):
        eventually(lambda: serves(data) == BUNDLED)
        asked = reader.asked
        eventually(lambda: reader.asked > asked + 5)
        assert reader.failures == []
        assert reader.fewest >= before


def _texts(answer):
    return [each["content"] for each in answer.json()]


def test_a_kill_in_the_middle_loses_nothing_and_going_back_finds_what_was(data, stub):
    stub.embeddings_wait = 1.0
    server = Server(data, environment=provider(stub))
    server.start()
    try:
        with plain_client(server.url) as http:
            before = concluded(http)
            eventually(lambda: len(stub.embeddings) > 3)
            stub.embeddings_flow.clear()
            assert http.get("/health").json()["vectors"]["from"] == BUNDLED
        server.kill_everything()
        stub.embeddings_wait = 0.0
        stub.embeddings_flow.set()
        server.start()
        with plain_client(server.url) as http:
            assert concluded(http) == before
            eventually(lambda: serves(data) == OTHER)
            assert concluded(http) == before
            conclude(http, "Ann keeps bees.")
    finally:
        server.kill_everything()
    asked = len(stub.embeddings)
    with running(data, provider(stub)) as again, plain_client(again.url) as http:
        assert "vectors" not in http.get("/health").json()
        assert concluded(http) == before + 1
    assert len(stub.embeddings) <= asked + 3
    # Nothing says any more where the other model is: words, until the old one is full.
    with running(data) as back, plain_client(back.url) as http:
        assert http.post(f"{AT}/search", json={"query": "matter 7 mill"}).json()
        eventually(lambda: query(http, "bees").status_code == 200)
        assert concluded(http) == before + 1
        assert serves(data) == BUNDLED
        assert standing(data, OTHER)["state"] == "former"


def test_a_model_of_as_many_dimensions_is_another_and_a_former_one_can_be_dropped(
    data, stub
):
    wanted = provider(stub, "another-model") | {"EMBEDDING_VECTOR_DIMENSIONS": "384"}
    with running(data, wanted) as server, plain_client(server.url) as http:
        before = concluded(http)
        eventually(lambda: serves(data) == "another-model/384")
        assert concluded(http) == before
        refused = subprocess.run(
            palimpsest("vectors", "drop", "another-model/384", "--data", str(data)),
            check=False,
            capture_output=True,
        )
        assert refused.returncode == 1
        subprocess.run(
            palimpsest("vectors", "drop", BUNDLED, "--data", str(data)), check=True
        )
        assert [e["model"] for e in standing(data)] == ["another-model/384"]
        assert concluded(http) == before
    with running(data) as back, plain_client(back.url) as http:
        eventually(lambda: serves(data) == f"{BUNDLED}#2")
        assert concluded(http) == before
