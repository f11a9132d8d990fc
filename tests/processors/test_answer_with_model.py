"""What a model is asked, what is made of its answer, and what its failures mean."""

import json
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from commands.asking import Answered, Unanswered
from commands.response_format import read_response_format
from infra.llm.client import open_client
from infra.llm.endpoint import Endpoint
from infra.llm.openai_model import OpenAIModel
from infra.settings.model_choice import ModelChoice
from processors.answer_with_model import AnswerWithModel, Effort
from processors.language_model import Malformed, ModelRefused
from processors.prompts.answer_question import HASH
from processors.recall import Background, Recalled, Recollection
from tests.support.openai_stub import Answer, openai_stub
from tests.support.questions import asked

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FORM = read_response_format(
    {
        "type": "object",
        "properties": {"drink": {"type": "string"}},
        "required": ["drink"],
    }
)


def remembered(kind, number, text, evidence=()):
    return Recollection(
        kind=kind,
        id=f"{kind}-{number}",
        text=text,
        at=NOON,
        peer="ann",
        similarity=0.5,
        evidence=evidence,
    )


FOUND = (
    remembered("conclusion", 1, "ann likes tea.", ("message-9",)),
    remembered("conclusion", 2, "ann is 34."),
    remembered("message", 1, "I like tea."),
)


class Memory:
    """Recalls the same, whatever is asked; remembers how much was wanted."""

    def __init__(self):
        self.limits = []

    async def recall(self, question, limit):
        assert question.workspace == "acme"
        self.limits.append(limit)
        return Recalled(FOUND, 7)


class Words:
    """Counts words for tokens."""

    def count(self, text):
        return len(text.split())


async def no_background(_question):
    return Background()


@pytest.fixture
def stub():
    with openai_stub() as stub:
        yield stub


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
async def answering(stub, memory):
    """Make an answerer that may take in so much."""
    endpoint = Endpoint(api_key=SecretStr("k"), base_url=stub.url, timeout=5)
    async with open_client(endpoint) as client:
        model = OpenAIModel(client, ModelChoice(seed=7), {})
        yield lambda most=10_000: AnswerWithModel(
            Effort(model, most, 250),
            memory,
            no_background,
            tokens=Words(),
            clock=lambda: NOON,
        )


async def streamed(answerer, question):
    return [each async for each in answerer.stream(question)]


async def test_an_answer_names_what_it_rests_on_and_how_it_was_made(answering, stub):
    stub.script("Tea.\n[[sources: c1, m1, c9]]")
    answered = await answering().answer(asked())
    assert answered.content == "Tea."
    assert answered.conclusions == ("conclusion-1",)
    assert answered.messages == ("message-1", "message-9")
    assert answered.as_of == 7
    engine = answered.engine
    assert (engine.name, engine.model) == ("openai", "gpt-5.4-mini")
    assert engine.prompt == "answer_question@1"
    assert engine.parameters["max_tokens"] == "250"
    assert engine.parameters["seed"] == "7"
    assert engine.usage["output"] == 5
    assert engine.prompt_hash == HASH
    assert engine.call.attempts == 1
    assert stub.chats[0].body["max_completion_tokens"] == 250


async def test_without_a_list_all_that_was_read_is_evidence(answering, stub):
    stub.script("Tea.")
    answered = await answering().answer(asked())
    assert answered.conclusions == ("conclusion-1", "conclusion-2")
    assert answered.messages == ("message-1", "message-9")


async def test_what_is_not_known_rests_on_nothing(answering, stub):
    stub.script("That is not known. [[sources: none]]")
    answered = await answering().answer(asked())
    assert (answered.content, answered.conclusions) == ("That is not known.", ())


async def test_a_stream_shows_no_list_and_ends_with_the_whole(answering, stub):
    stub.script("Green tea.\n[[sources: c1]]")
    *pieces, whole = await streamed(answering(), asked())
    assert "".join(pieces) == "Green tea."
    assert isinstance(whole, Answered)
    assert (whole.content, whole.conclusions) == ("Green tea.", ("conclusion-1",))


@pytest.mark.parametrize(
    ("level", "limit"), [("minimal", 10), ("low", 25), ("max", 25)]
)
async def test_levels_fetch_as_much_as_is_written(answering, memory, level, limit):
    await answering().answer(asked(level=level))
    assert memory.limits == [limit]


async def test_what_does_not_fit_is_left_out_and_is_no_evidence(answering, stub):
    answered = await answering(0).answer(asked())
    assert (answered.conclusions, answered.messages) == ((), ())
    assert "ann likes tea" not in stub.chats[0].text
    assert "Nothing is remembered" in stub.chats[0].text


async def test_an_answer_in_a_form_is_its_json(answering, stub):
    stub.script('{"drink": 1}', '```{"drink": "tea"}```')
    answered = await answering().answer(asked(form=FORM))
    assert json.loads(answered.content) == {"drink": "tea"}
    assert answered.engine.usage["calls"] == 2
    stub.script('{"drink": "tea"}')
    *pieces, whole = await streamed(answering(), asked(form=FORM))
    assert "".join(pieces) == whole.content == '{"drink": "tea"}'


async def test_what_never_fits_its_form_is_no_answer(answering, stub):
    stub.script("Tea.", "Tea!")
    with pytest.raises(Malformed):
        await answering().answer(asked(form=FORM))


@pytest.mark.parametrize("stream", [False, True])
async def test_a_model_that_is_away_says_when_to_come_back(answering, stub, stream):
    stub.script(Answer(status=429, retry_after="60"))
    with pytest.raises(Unanswered) as raised:
        await (streamed if stream else AnswerWithModel.answer)(answering(), asked())
    assert raised.value.retry_after == 60


async def test_a_refusal_is_not_dressed_up(answering, stub):
    stub.script(Answer(status=400, code="content_filter"))
    with pytest.raises(ModelRefused):
        await answering().answer(asked())


async def test_a_stream_that_breaks_off_is_no_answer(answering, stub):
    stub.script(Answer("Green tea.", broken_after=1))
    stream = answering().stream(asked())
    assert await anext(stream) == "Green"
    with pytest.raises(Unanswered):
        await anext(stream)
