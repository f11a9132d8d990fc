"""Answers questions with a model and its tools, from what memory holds (RS 7).

What seems nearest is fetched before the model is asked (RS 7.3); what more it needs
it looks up by itself (RS 7.5), as far as the question may look and no further.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from commands.asking import Answered, AskedQuestion, OverBudget, Unanswered
from domain.event import Engine
from domain.question import ToolUsed, Trace
from processors.agent_loop import AgentLoop, AgentRun
from processors.answer_form import Formed, form_answer
from processors.answer_stream import ShownAnswer
from processors.asking_model import Asking, Effort, Sources, prepare_asking
from processors.cited_answer import split_sources
from processors.language_model import (
    BudgetExhausted,
    Completion,
    Malformed,
    Unavailable,
)
from processors.prompts import answer_question as prompts
from processors.tools.shown import Kind


class AnswerWithModel:
    """Fulfils ``commands.ports.Answerer`` at one level.

    Everything whose text was put before the model is evidence, unless the model said
    what its answer rests on.
    """

    def __init__(self, effort: Effort, sources: Sources) -> None:
        self._effort = effort
        self._sources = sources

    async def answer(self, question: AskedQuestion) -> Answered:
        """See the port.

        Raises:
            Unanswered, OverBudget
            Malformed, ModelRefused: this model has no such answer (HC 6.8: a 500).
        """
        asking = await prepare_asking(question, self._effort, self._sources)
        try:
            if asking.schema is not None:
                return await self._in_form(asking)
            run = await self._loop(asking).complete(asking.opening)
        except Malformed:
            raise
        except Unavailable as away:
            raise _unanswered(away) from away
        text, cited = split_sources(run.text)
        return self._answered(asking, run, text, cited)

    async def stream(
        self, question: AskedQuestion
    ) -> AsyncGenerator[str | Answered, None]:
        """See the port. What was shown stays part of the answer.

        An answer in a form is shown once it is known to fit: until a model is done it
        may still use a tool, and what it said before would be no part of the object.
        """
        if question.form is not None:
            formed = await self.answer(question)
            yield formed.content
            yield formed
            return
        asking = await prepare_asking(question, self._effort, self._sources)
        shown = ShownAnswer()
        run = None
        try:
            async with aclosing(self._loop(asking).stream(asking.opening)) as steps:
                async for step in steps:
                    if isinstance(step, AgentRun):
                        run = step
                        continue
                    ended = isinstance(step, Completion)
                    part = shown.end() if ended else shown.take(str(step))
                    if part:
                        yield part
        except Unavailable as away:
            raise _unanswered(away) from away
        if run is None:
            raise Unanswered(None)
        yield self._answered(asking, run, shown.text, shown.cited)

    async def _in_form(self, asking: Asking) -> Answered:
        run = await self._loop(asking).complete(asking.opening)
        formed = await self._formed(asking, run)
        text = json.dumps(formed.value, ensure_ascii=False)
        form = "repaired" if formed.repaired else "fits"
        return self._answered(asking, formed.run, text, None, form)

    async def _formed(self, asking: Asking, run: AgentRun) -> Formed:
        if asking.schema is None:  # pragma: no cover  asked of a form only
            raise ValueError(asking)
        return await form_answer(
            self._effort.model,
            self._sources.read_form,
            asking.schema,
            asking.opening,
            (run, asking.purpose, self._effort.limits.max_output),
        )

    def _loop(self, asking: Asking) -> AgentLoop:
        return AgentLoop(
            self._effort.model,
            self._effort.limits,
            asking.toolbox,
            tokens=self._sources.tokens,
            purpose=asking.purpose,
            schema=asking.schema,
        )

    def _answered(
        self,
        asking: Asking,
        run: AgentRun,
        text: str,
        cited: tuple[str, ...] | None,
        form: str = "",
    ) -> Answered:
        conclusions, messages = asking.evidence(cited)
        return Answered(
            content=text,
            conclusions=conclusions,
            messages=messages,
            as_of=asking.as_of,
            engine=self._engine(run),
            trace=_trace(asking, run, form),
            inputs=tuple(each.arguments for each in run.tools),
        )

    def _engine(self, run: AgentRun) -> Engine:
        answered_by = run.call.answered_by or self._effort.model.transport
        return Engine(
            name=answered_by.partition("/")[0],
            version=prompts.VERSION,
            model=run.model,
            prompt=f"answer_question@{prompts.VERSION}",
            parameters={
                **self._effort.model.parameters,
                "max_tokens": str(self._effort.limits.max_output),
                "finish": run.finish,
            },
            usage=msgspec.to_builtins(run.usage),
            prompt_hash=prompts.HASH,
            call=run.call,
        )


def _unanswered(away: Unavailable) -> Unanswered:
    """Say when to ask again; or what budget is used up, if that is why."""
    if isinstance(away, BudgetExhausted):
        return OverBudget(str(away))
    return Unanswered(away.retry_after)


def _trace(asking: Asking, run: AgentRun, form: str) -> Trace:
    return Trace(
        run=asking.purpose.run,
        iterations=run.iterations,
        ended=run.ended,
        prefetched=asking.prefetched,
        form=form,
        conclusions=asking.conclusions,
        messages=asking.messages,
        tools=tuple(
            ToolUsed(
                iteration=each.iteration,
                tool=each.tool[:64],
                conclusions=_of(asking, "conclusion", each.ids),
                messages=_of(asking, "message", each.ids),
                chars=each.chars,
                shown=each.shown,
                latency_ms=each.latency_ms,
                error=each.error,
            )
            for each in run.tools
        ),
    )


def _of(asking: Asking, kind: Kind, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return those ids of what a tool showed that are of this kind."""
    named = (asking.shown.find(each) for each in ids)
    return tuple(e.id for e in named if e is not None and e.kind == kind)
