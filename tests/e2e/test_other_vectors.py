"""Vectors of another model: on a folder that has some, wider ones, and none for now."""

from functools import partial

import pytest

from tests.support.command import until
from tests.support.load import plain_client
from tests.support.openai_stub import openai_stub
from tests.support.server import Server, running
from tests.support.stopped import rebuilt_equals_live

WITHIN = 90.0
AT = "/v3/workspaces/w"
PAIR = {"observer_id": "ann", "observed_id": "ann"}
OLD, NEW = "Ann grows tomatoes.", "Ann keeps bees."


@pytest.fixture(scope="module")
def stub():
    with openai_stub(key="k") as running_stub:
        yield running_stub


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder whose memory was embedded by the bundled model."""
    folder = tmp_path_factory.mktemp("vectors") / "data"
    with running(folder) as server, plain_client(server.url) as http:
        say(http, "The old mill is by the river.")
        conclude(http, OLD)
        assert query(http, "tomatoes").json()[0]["content"] == OLD
    yield folder
    rebuilt_equals_live(folder)


def provider(stub, dimensions=None):
    """Settings that name the stub as the embedder, as a Honcho ``.env`` would."""
    wanted = {
        "EMBEDDING_MODEL_CONFIG__OVERRIDES__BASE_URL": stub.url,
        "EMBEDDING_MODEL_CONFIG__OVERRIDES__API_KEY": "k",
    }
    if dimensions is not None:
        wanted["EMBEDDING_MODEL_CONFIG__MODEL"] = "text-embedding-3-large"
        wanted["EMBEDDING_VECTOR_DIMENSIONS"] = str(dimensions)
    return wanted


def say(http, words):
    body = {"messages": [{"peer_id": "ann", "content": words}]}
    answer = http.post(f"{AT}/sessions/s/messages", json=body)
    assert answer.status_code == 201, answer.text


def conclude(http, words):
    answer = http.post(
        f"{AT}/conclusions", json={"conclusions": [{"content": words} | PAIR]}
    )
    assert answer.status_code == 201, answer.text


def query(http, words):
    return http.post(f"{AT}/conclusions/query", json={"query": words, "filters": PAIR})


def found(http, words):
    return [each["content"] for each in query(http, words).json()]


def searched(http, words):
    return [
        each["content"]
        for each in http.post(f"{AT}/search", json={"query": words}).json()
    ]


eventually = partial(until, within=WITHIN)


@pytest.mark.parametrize("dimensions", [None, 3_072])
def test_another_model_finds_what_is_new_at_once_and_the_rest_soon(
    data, stub, dimensions
):
    with (
        running(data, provider(stub, dimensions)) as server,
        plain_client(server.url) as http,
    ):
        conclude(http, NEW)
        assert NEW in found(http, "bees")
        eventually(lambda: OLD in found(http, "tomatoes"))
        assert found(http, "Who grows tomatoes?")[0] == OLD
        say(http, f"A boat with {dimensions} oars.")
        assert searched(http, f"boat with {dimensions} oars")
        assert "mill" in searched(http, "river mill")[0]
        assert "vectors: openai/text-embedding-3-" in server.log()


def test_without_its_provider_memory_takes_in_and_finds_by_words(data, stub):
    with (
        running(data, provider(stub)) as server,
        plain_client(server.url) as http,
    ):
        stub.key = "another"
        try:
            say(http, "The ferry leaves at noon.")
            assert searched(http, "ferry")[0] == "The ferry leaves at noon."
            conclude(http, "Ann sails.")
            away = query(http, "Does Ann sail now?")
            assert (away.status_code, away.headers["retry-after"]) == (503, "1")
            assert http.get("/health").status_code == 200
        finally:
            stub.key = "k"


def test_a_chat_key_alone_leaves_the_embedder_alone(tmp_path, stub):
    server = Server(
        tmp_path / "data",
        environment={"LLM_OPENAI_API_KEY": "k", "LLM_OPENAI_BASE_URL": stub.url},
    )
    server.start()
    try:
        assert "vectors: all-minilm-l6-v2-int8 (bundled)" in server.log()
    finally:
        server.stop()


def test_messages_may_stay_without_vectors(tmp_path, stub):
    stub.forget()
    settings = provider(stub) | {"EMBED_MESSAGES": "false"}
    with (
        running(tmp_path / "data", settings) as server,
        plain_client(server.url) as http,
    ):
        say(http, "The ferry leaves at noon.")
        conclude(http, NEW)
        assert searched(http, "ferry") == ["The ferry leaves at noon."]
        assert found(http, "bees") == [NEW]
        texts = [text for call in stub.embeddings for text in call.body["input"]]
        assert set(texts) == {NEW, "bees"}
