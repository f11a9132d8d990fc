"""A reranker over HTTP says how well texts answer, or in time that it does not."""

import json

import pytest
from pydantic import SecretStr

from infra.rerank.asked import Reranking
from infra.rerank.http_reranker import HttpReranker
from tests.support.stub_replies import Answer
from tests.support.stub_server import ProtocolStub

TEXTS = ["a cat", "a dog and a cat", "rain"]
SCORES = [0.5, 0.9, 0.1]


class RerankStub(ProtocolStub):
    """Scores texts as it is told to, best first, as servers of both styles do."""

    scores = tuple(SCORES)
    wire = "jina"

    def plain(self, _call):
        return Answer()

    def is_let_in(self, call):
        return call.headers.get("authorization") == f"Bearer {self.key}"

    def failure(self, answer):
        return {"error": answer.code}

    def reply(self, handler, _call, _answer):
        order = sorted(range(len(self.scores)), key=lambda n: -self.scores[n])
        name = "score" if self.wire == "tei" else "relevance_score"
        found = [{"index": n, name: self.scores[n]} for n in order]
        handler.json(200, found if self.wire == "tei" else {"results": found})


@pytest.fixture
def stub():
    stub = RerankStub(key="k")
    yield stub
    stub.close()


@pytest.fixture
def opened(stub):
    def open_it(**more):
        url = f"http://127.0.0.1:{stub.port}/v1/rerank"
        chosen = {"url": url, "api_key": SecretStr("k")} | more
        return HttpReranker.open(Reranking(**chosen))

    return open_it


async def test_an_address_that_is_none_leaves_the_order(opened):
    async with opened(url="http://[nowhere/rerank") as reranker:
        assert await reranker.rerank("Which pets?", TEXTS) is None


async def test_it_is_asked_as_jina_and_cohere_are(stub, opened):
    async with opened(model="m", characters=5) as reranker:
        assert await reranker.rerank("Which pets?", TEXTS) == SCORES
    [call] = stub.calls
    assert call.path == "/v1/rerank"
    assert call.body == {
        "query": "Which pets?",
        "documents": ["a cat", "a dog", "rain"],
        "top_n": 3,
        "model": "m",
    }


async def test_it_is_asked_as_tei_is(stub, opened):
    stub.wire = "tei"
    async with opened(wire="tei") as reranker:
        assert await reranker.rerank("Which pets?", TEXTS) == SCORES
    assert stub.calls[0].body["texts"] == TEXTS


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500),
        Answer(status=429, retry_after="60"),
        Answer(stall=True),
        Answer(body=b"<html>"),
        Answer(body=json.dumps({"results": []}).encode()),
        Answer(body=json.dumps({"results": [{"index": 0}]}).encode()),
        Answer(
            body=json.dumps(
                {"results": [{"index": n, "relevance_score": 1} for n in (0, 1, 7)]}
            ).encode()
        ),
    ],
    ids=["500", "429", "silent", "html", "nothing", "no score", "another text"],
)
async def test_what_goes_wrong_is_no_answer_and_nobody_waits_for_it_again(
    stub, opened, answer
):
    stub.script(answer)
    async with opened(within=0.3) as reranker:
        assert await reranker.rerank("Which pets?", TEXTS) is None
        assert await reranker.rerank("Which pets?", TEXTS) is None
    assert len(stub.calls) == 1


async def test_a_wrong_key_is_no_answer(opened):
    async with opened(api_key=SecretStr("wrong")) as reranker:
        assert await reranker.rerank("Which pets?", TEXTS) is None


async def test_a_server_that_is_not_there_is_no_answer(stub, opened):
    stub.close()
    async with opened() as reranker:
        assert await reranker.rerank("Which pets?", TEXTS) is None
