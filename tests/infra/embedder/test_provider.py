"""Given a provider's answers, we have vectors, or know that there are none now."""

from array import array

import msgspec
import pytest
from pydantic import SecretStr

from infra.embedder.asked import EmbeddingModel
from infra.embedder.errors import EmbedderUnavailable
from infra.embedder.provider import ProviderEmbedder
from infra.embedder.remembered import RememberedQuestions
from infra.embedder.serving import Serving
from infra.llm.client import open_client
from infra.llm.endpoint import Endpoint
from tests.support.application import WordCounter
from tests.support.openai_stub import openai_stub
from tests.support.stub_replies import Answer
from tests.support.stub_values import embedding

ASKED = EmbeddingModel(
    model="text-embedding-3-small",
    dimensions=1_536,
    sends_dimensions=False,
    base64=False,
)


@pytest.fixture
def stub():
    with openai_stub(key="k") as running:
        yield running


@pytest.fixture
async def asking(stub):
    """Make an embedder of the stub that differs from the usual in a few fields."""
    endpoint = Endpoint(api_key=SecretStr("k"), base_url=stub.url)
    async with open_client(endpoint) as client:

        def make(**differing):
            asked = msgspec.structs.replace(ASKED, **differing)
            return ProviderEmbedder(client, asked, WordCounter())

        yield make


def _floats(text, dimensions=1_536):
    return array("f", embedding(text, dimensions, base64=False)).tobytes()


def _answer(*vectors):
    return Answer(
        body=msgspec.json.encode({"data": [{"embedding": v} for v in vectors]})
    )


async def test_each_text_has_its_vector_in_order(stub, asking):
    vectors = await asking().embed(["one", "two"])
    assert vectors == [_floats("one"), _floats("two")]
    [call] = stub.embeddings
    assert call.body == {
        "input": ["one", "two"],
        "model": "text-embedding-3-small",
        "encoding_format": "float",
    }


async def test_packed_vectors_are_the_same(stub, asking):
    [packed] = await asking(base64=True).embed(["one"])
    assert packed == _floats("one")
    assert stub.embeddings[0].body["encoding_format"] == "base64"


async def test_dimensions_are_asked_for_where_they_are_sent(stub, asking):
    embedder = asking(dimensions=3_072, sends_dimensions=True)
    [vector] = await embedder.embed(["one"])
    assert len(vector) == 3_072 * 4
    assert stub.embeddings[0].body["dimensions"] == 3_072


async def test_a_model_of_other_dimensions_is_another_collection(asking):
    assert asking().model == "text-embedding-3-small"
    assert asking(dimensions=512).model == "text-embedding-3-small/512"


async def test_requests_hold_no_more_texts_and_tokens_than_allowed(stub, asking):
    await asking(max_batch=2).embed(["a", "b", "c"])
    await asking(max_request_tokens=8).embed(["four", "more", "even more"])
    assert [each.body["input"] for each in stub.embeddings] == [
        ["a", "b"],
        ["c"],
        ["four", "more"],
        ["even more"],
    ]


async def test_what_is_longer_than_the_model_reads_is_cut(stub, asking):
    await asking(max_input_tokens=10).embed(["word " * 100, "", "\ud800"])
    cut, empty, lone = stub.embeddings[0].body["input"]
    assert 5 < len(cut.split()) <= 10
    assert (empty, lone) == (" ", "?")


def _refusal():
    return Answer(status=400, code="content_filter")


async def test_a_text_that_is_refused_does_not_hold_up_others(stub, asking):
    """Of itself as much is embedded as is taken."""
    stub.script_embeddings(
        *(_refusal(), _answer(*[embedding("one", 1_536, base64=False)])),
        *(_refusal(), Answer(), _refusal(), Answer()),
    )
    vectors = await asking().embed(["one", "too long"])
    assert vectors == [_floats("one"), _floats("to")]
    assert [each.body["input"] for each in stub.embeddings] == [
        *(["one", "too long"], ["one"], ["too long"], ["."], ["too "], ["to"]),
    ]


async def test_a_text_of_which_nothing_is_taken_means_nothing(stub, asking):
    stub.script_embeddings(_refusal(), Answer(), _refusal(), _refusal())
    assert await asking().embed(["word"]) == [_floats(".")]


async def test_who_refuses_everything_is_away(stub, asking):
    stub.script_embeddings(_refusal(), _refusal(), _refusal())
    with pytest.raises(EmbedderUnavailable):
        await asking().embed(["one", "two"])
    assert len(stub.embeddings) == 3


async def test_a_question_that_is_refused_is_asked_once(stub, asking):
    stub.script_embeddings(_refusal())
    assert await asking().embed_query("one") is None
    assert len(stub.embeddings) == 1


@pytest.mark.parametrize("size", [1e-30, 1e30])
async def test_numbers_whose_squares_are_none_are_scaled(stub, asking, size):
    stub.script_embeddings(_answer([size, -size / 2]))
    [vector] = await asking(dimensions=2).embed(["one"])
    assert vector == array("f", [1.0, -0.5]).tobytes()


async def test_what_passes_is_asked_again(stub, asking):
    stub.script_embeddings(Answer(status=503), Answer(status=429, retry_after="0"))
    assert await asking().embed(["one"]) == [_floats("one")]
    assert len(stub.embeddings) == 3


async def test_what_a_person_must_mend_is_asked_once(stub, asking):
    stub.key = "another"
    with pytest.raises(EmbedderUnavailable) as refused:
        await asking().embed(["one"])
    assert len(stub.embeddings) == 1
    assert refused.value.retry_after is not None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=b"ok"),
        Answer(body=b'{"data": "ok"}'),
        _answer(),
        _answer([1.0] * 1_536, [1.0] * 1_536),
        _answer([1.0] * 8),
        _answer(["a"] * 1_536),
        _answer([1e300] * 1_536),
        _answer("no base64!"),
        _answer("AAA="),
    ],
)
async def test_what_is_not_the_vectors_asked_for_is_none(stub, asking, answer):
    stub.script_embeddings(answer)
    with pytest.raises(EmbedderUnavailable):
        await asking().embed(["one"])


async def test_a_server_that_does_not_batch_is_asked_for_one_at_a_time(stub, asking):
    a, b = [1.0] * 1_536, [2.0] * 1_536
    stub.script_embeddings(_answer(a), _answer(a), _answer(b))
    vectors = await asking().embed(["one", "two"])
    assert vectors == [array("f", a).tobytes(), array("f", b).tobytes()]
    asked = [call.body["input"] for call in stub.embeddings]
    assert asked == [["one", "two"], ["one"], ["two"]]


async def test_a_text_without_direction_gets_one(stub, asking):
    stub.script_embeddings(_answer([0.0] * 1_536))
    [vector] = await asking().embed(["one"])
    assert array("f", vector).tolist() == [1.0] + [0.0] * 1_535


async def test_a_question_has_no_vector_while_the_provider_is_down(stub, asking):
    stub.script_embeddings(*[Answer(status=500)] * 2)
    assert await asking().embed_query("one") is None
    assert await asking().embed_query("one") == _floats("one")


async def test_a_silent_provider_keeps_only_one_question_waiting(stub, asking):
    stub.script_embeddings(Answer(stall=True))
    embedder = asking(question_within=0.1)
    assert await embedder.embed_query("one") is None
    assert await embedder.embed_query("two") is None
    assert len(stub.embeddings) == 1


async def test_a_question_asked_again_is_remembered(stub, asking):
    questions = RememberedQuestions(Serving(asking()), kept=2)
    for text in ("one", "two", "one", "three", "one", "two"):
        assert (await questions.embed_query(text)).vector == _floats(text)
    asked = [each.body["input"] for each in stub.embeddings]
    assert asked == [["one"], ["two"], ["three"], ["two"]]


async def test_that_there_was_no_vector_is_not_remembered(stub, asking):
    stub.script_embeddings(Answer(status=404))
    questions = RememberedQuestions(Serving(asking()))
    assert await questions.embed_query("one") is None
    assert (await questions.embed_query("one")).vector == _floats("one")
