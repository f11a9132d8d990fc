"""What usage says is what a provider billed, whatever became of the calls."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from infra.llm.client import open_client
from infra.llm.endpoint import Endpoint
from infra.llm.fallback import FallbackModel
from infra.llm.measured import MeasuredModel
from infra.llm.openai_model import OpenAIModel
from infra.llm.patience import Patience
from infra.settings.model_choice import ModelChoice
from processors.language_model import JsonSchema, ModelRefused, Unavailable
from tests.support.ledgers import PRICES, prompt
from tests.support.openai_stub import openai_stub
from tests.support.stub_replies import Answer

FORM = JsonSchema(
    "n", {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
)
WORDS = '{"n": 1}'
OUTCOMES = {
    "whole": Answer(text=WORDS),
    "misformed": Answer(text="not at all"),
    "refused": Answer(text="", refusal="No."),
    "withheld": Answer(text="half of", finish="content_filter"),
    "broken": Answer(status=500),
    "wrong": Answer(status=400),
    "busy": Answer(status=429, retry_after="0"),
    "elsewhere": Answer(status=401),
}


@given(
    calls=st.lists(
        st.tuples(st.sampled_from(("complete", "stream", "structured")), st.booleans()),
        min_size=1,
        max_size=6,
    ),
    scripted=st.lists(st.sampled_from(sorted(OUTCOMES)), max_size=20),
)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_usage_is_what_was_billed(books, calls, scripted):
    before = await usage(books)
    billed = Billed()
    with openai_stub() as stub:
        stub.script(*(billed(OUTCOMES[each]) for each in scripted))
        stub.otherwise = billed(OUTCOMES["whole"])
        here = Endpoint(api_key=SecretStr("k"), base_url=stub.url)
        async with open_client(here) as client:
            for form, has_backup in calls:
                await ask(books.model(model(client, has_backup)), form)
    await books.settler.settle()
    assert await usage(books) == [
        old + new for old, new in zip(before, billed.tokens, strict=True)
    ]


class Billed:
    """Counts what a stub bills; it counts words for tokens."""

    def __init__(self):
        self.tokens = [0, 0]

    def __call__(self, answer):
        def answering(call):
            if answer.status == 200:
                said = call.body["messages"]
                given = sum(len((each["content"] or "").split()) for each in said)
                self.tokens[0] += given
                self.tokens[1] += len(answer.text.split())
            return answer

        return answering


def model(client, has_backup):
    patience = Patience(attempts=2, shortest=0)
    choice = ModelChoice(model="m")
    first, second = (
        MeasuredModel(OpenAIModel(client, choice, {}, patience), PRICES)
        for _ in range(2)
    )
    return FallbackModel(first, second) if has_backup else first


async def ask(asked, form):
    try:
        match form:
            case "complete":
                await asked.complete(prompt("One two three."))
            case "structured":
                await asked.structured(prompt("One two three."), FORM)
            case _:
                [_ async for _ in asked.stream(prompt("One two three."))]
    except (Unavailable, ModelRefused):
        pass


async def usage(books):
    [row] = await books.rows(
        "SELECT coalesce(sum(input), 0)::int AS i, coalesce(sum(output), 0)::int AS o"
        " FROM llm_usage"
    )
    return [row["i"], row["o"]]
