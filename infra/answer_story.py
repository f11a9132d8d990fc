"""The story of an answer: what it rests on, how it was come by, what that took."""

from itertools import zip_longest

import msgspec

from domain.question import QuestionAnswered
from infra.trace import Log
from projections.answers import get_answer
from projections.derivations import get_derivations
from projections.ports import Connection
from projections.quotes import quote_messages
from projections.run_calls import RunCall, calls_of_run
from projections.walks import walk_down
from read_api.lineage import BOUNDS, CHARACTERS, QUOTED, show_walked
from read_api.lineage_answers import (
    CitingAnswer,
    DerivationShown,
    LineageConclusion,
    QuotedMessage,
    answer_shown,
    derivation_shown,
    message_shown,
)


class ToolTold(msgspec.Struct, frozen=True, kw_only=True):
    """A tool a model used, what it asked for, and the ids of what it was told.

    ``input`` is the JSON the model wrote; ``chars`` is how long the answer was, and
    ``shown`` what the model saw of it.
    """

    iteration: int
    tool: str
    input: str
    ids: tuple[str, ...]
    chars: int
    shown: int
    latency_ms: float
    error: bool


class TraceTold(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer was come by, as ``domain.question.Trace`` has it."""

    run: str
    iterations: int
    ended: str
    prefetched: int
    form: str
    tools: list[ToolTold]


class AnswerStory(msgspec.Struct, frozen=True, kw_only=True):
    """An answer with its question, and what it rests on down to the words.

    ``calls`` are those of models that were recorded for it; there is no ``trace``
    where no model answered.
    """

    answer: CitingAnswer
    question: str
    content: str
    derivation: DerivationShown | None
    trace: TraceTold | None
    calls: list[RunCall]
    premises: list[LineageConclusion]
    messages: list[QuotedMessage]
    truncated: bool


async def tell_answer(
    db: Connection, log: Log, tenant: str, id_: str
) -> AnswerStory | None:
    """Return an answer's story; the log is read for its words, which no view has."""
    found = await get_answer(db, tenant, id_)
    if found is None:
        return None
    answer, messages = found
    down = await walk_down(db, tenant, answer.cited, BOUNDS)
    premises = await show_walked(db, tenant, down, {})
    cited = (m for each in premises.shown for m in each.message_ids)
    ids = list(dict.fromkeys((*messages, *cited)))
    quoted = await quote_messages(db, tenant, ids[:QUOTED], CHARACTERS)
    [recorded] = await log.read_log(after=answer.position - 1, limit=1)
    event = recorded.event
    if not isinstance(event, QuestionAnswered):
        return None
    made = await get_derivations(db, tenant, [id_])
    trace = _trace(event)
    return AnswerStory(
        answer=answer_shown(answer),
        question=event.question,
        content=event.answer,
        derivation=derivation_shown(made[0]) if made else None,
        trace=trace,
        calls=await calls_of_run(db, tenant, trace.run if trace else ""),
        premises=premises.shown,
        messages=[message_shown(each) for each in quoted],
        truncated=not premises.whole or len(ids) > QUOTED,
    )


def _trace(event: QuestionAnswered) -> TraceTold | None:
    trace = event.trace
    if trace is None:
        return None
    used = zip_longest(trace.tools, event.inputs[: len(trace.tools)], fillvalue="")
    return TraceTold(
        run=trace.run,
        iterations=trace.iterations,
        ended=trace.ended,
        prefetched=trace.prefetched,
        form=trace.form,
        tools=[
            ToolTold(**msgspec.structs.asdict(each), input=str(text))
            for each, text in used
            if not isinstance(each, str)
        ],
    )
