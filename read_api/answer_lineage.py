"""The lineage of an answer: what it rests on, how it was come by, what that took."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Protocol

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from domain.errors import NotFound
from domain.question import QuestionAnswered
from domain.recorded import Recorded
from projections.answers import get_answer
from projections.as_of import NOW
from projections.derivations import get_derivations
from projections.ports import Connection, Database, Views
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
from read_api.moment import ReadQuery, answer, reached
from read_api.ports import Injected, Parse


class ReadsLog(Protocol):
    """Reads the log by position, opened."""

    async def read_log(self, *, after: int, limit: int) -> Sequence[Recorded]: ...


class ToolTold(msgspec.Struct, frozen=True, kw_only=True):
    """A tool a model used, what it asked for, and what it was told of, by ids.

    ``input`` is the JSON the model wrote; ``chars`` is how long the answer was, and
    ``shown`` what the model saw of it.
    """

    iteration: int
    tool: str
    input: str
    conclusions: tuple[str, ...]
    messages: tuple[str, ...]
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
    conclusions: tuple[str, ...]
    messages: tuple[str, ...]
    tools: list[ToolTold]


class AnswerLineage(msgspec.Struct, frozen=True, kw_only=True):
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


@get(
    "/v3/workspaces/{workspace:str}/answers/{answer_id:str}/lineage",
    opt={"query": ReadQuery},
)
async def get_answer_lineage(
    workspace: FromPath[str],
    answer_id: FromPath[str],
    parse: Injected[Parse],
    views: Injected[Views],
    database: Injected[Database],
    log: Injected[ReadsLog],
) -> Response[AnswerLineage]:
    """Tell what an answer rests on, the tools its model used, and its calls.

    The id is an answer's ``reasoning_trace_id``.
    """
    moment = await reached(views, parse.query(ReadQuery))
    async with database.acquire() as db:
        found = await find_answer_lineage(db, log, workspace, answer_id, moment.as_of)
    if found is None:
        raise NotFound(f"Answer {answer_id} not found in workspace {workspace}")
    return answer(found, moment)


async def find_answer_lineage(
    db: Connection, log: ReadsLog, tenant: str, id_: str, as_of: int = NOW
) -> AnswerLineage | None:
    """Return an answer's lineage; None if there is no such answer.

    The log is read for its words, which no view has.
    """
    found = await get_answer(db, tenant, id_, as_of)
    if found is None:
        return None
    own, messages = found
    down = await walk_down(db, tenant, own.cited, BOUNDS, as_of)
    premises = await show_walked(db, tenant, down, {}, as_of)
    cited = (m for each in premises.shown for m in each.message_ids)
    ids = list(dict.fromkeys((*messages, *cited)))
    quoted = await quote_messages(db, tenant, ids[:QUOTED], CHARACTERS, as_of)
    [recorded] = await log.read_log(after=own.position - 1, limit=1)
    event = recorded.event
    if not isinstance(event, QuestionAnswered):
        return None
    made = await get_derivations(db, tenant, [id_], as_of)
    trace = _trace(event)
    return AnswerLineage(
        answer=answer_shown(own),
        question=event.question,
        content=event.answer,
        derivation=derivation_shown(made[0]) if made else None,
        trace=trace,
        calls=await calls_of_run(db, tenant, trace.run if trace else "", as_of),
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
        conclusions=trace.conclusions,
        messages=trace.messages,
        tools=[
            ToolTold(**msgspec.structs.asdict(each), input=str(text))
            for each, text in used
            if not isinstance(each, str)
        ],
    )
