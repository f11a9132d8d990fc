"""Answers questions with a model, from what memory holds (RS 7).

What memory holds is fetched before the model is asked (RS 7.3); tools, with which a
model searches by itself (RS 7.5), come with issue 5. Until then the limits of
iterations of RS 7.2 have nothing to limit.
"""

import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Final

import msgspec

from commands.asking import Answered, AskedQuestion, Unanswered
from domain.event import Engine
from processors.cited_answer import CitedAnswer, split_sources
from processors.language_model import (
    Completion,
    JsonSchema,
    LanguageModel,
    Malformed,
    Prompt,
    Purpose,
    Unavailable,
)
from processors.ports import TokenCounter
from processors.prompts import answer_question as prompts
from processors.recall import (
    Background,
    GatherBackground,
    MemorySearch,
    Recalled,
    Recollection,
)

PREFETCHED: Final = {"minimal": 10}
"""Explicit conclusions fetched at a level, and as many others and messages."""

_PREFETCHED: Final = 25

_LINE: Final = 24
"""Tokens of a label, a date and a name, at most."""


class Effort(msgspec.Struct, frozen=True):
    """What one level may take: a model, tokens in, tokens out (RS 7.2)."""

    model: LanguageModel
    max_input: int
    max_output: int


class AnswerWithModel:
    """Fulfils ``commands.ports.Answerer`` at one level.

    Everything that was put before the model is evidence, unless the model said what
    its answer rests on.
    """

    def __init__(
        self,
        effort: Effort,
        memory: MemorySearch,
        gather: GatherBackground,
        *,
        tokens: TokenCounter,
        clock: Callable[[], datetime],
    ) -> None:
        self._effort = effort
        self._memory = memory
        self._gather = gather
        self._tokens = tokens
        self._clock = clock

    async def answer(self, question: AskedQuestion) -> Answered:
        """See the port.

        Raises:
            Unanswered
            Malformed, ModelRefused: this model has no such answer (HC 6.8: a 500).
        """
        asking = await self._prepare(question)
        model = self._effort.model
        try:
            if asking.schema is not None:
                structured = await model.structured(asking.prompt, asking.schema)
                completion = structured.completion
                text = json.dumps(structured.value, ensure_ascii=False)
                return self._answered(asking, completion, text, None)
            completion = await model.complete(asking.prompt)
        except Malformed:
            raise
        except Unavailable as away:
            raise Unanswered(away.retry_after) from away
        text, cited = split_sources(completion.text)
        return self._answered(asking, completion, text, cited)

    async def stream(
        self, question: AskedQuestion
    ) -> AsyncGenerator[str | Answered, None]:
        """See the port."""
        asking = await self._prepare(question)
        shown = CitedAnswer()
        told: list[str] = []
        completion = None
        try:
            async with aclosing(
                self._effort.model.stream(asking.prompt, asking.schema)
            ) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Completion):
                        completion = piece
                        continue
                    part = shown.take(piece) if asking.schema is None else piece
                    if part:
                        told.append(part)
                        yield part
        except Unavailable as away:
            raise Unanswered(away.retry_after) from away
        if completion is None:
            raise Unanswered(None)
        rest, cited = shown.end()
        if rest:
            told.append(rest)
            yield rest
        yield self._answered(asking, completion, "".join(told), cited)

    async def _prepare(self, question: AskedQuestion) -> "_Asking":
        limit = PREFETCHED.get(question.level, _PREFETCHED)
        recalled = await self._memory.recall(question, limit)
        background = await self._gather(question)
        today = self._clock()
        room = self._effort.max_input - self._cost(question, background, today)
        found = self._within(recalled.found, room)
        schema = None
        if question.form is not None:
            schema = JsonSchema("answer", question.form.schema, question.form.shown)
        return _Asking(
            Prompt(
                turns=prompts.render(question, found, background, today),
                max_tokens=self._effort.max_output,
                purpose=_purpose(question),
            ),
            schema,
            Recalled(found, recalled.as_of),
        )

    def _cost(
        self, question: AskedQuestion, background: Background, today: datetime
    ) -> int:
        turns = prompts.render(question, (), background, today)
        return sum(self._tokens.count(turn.content) for turn in turns)

    def _within(
        self, found: Sequence[Recollection], room: int
    ) -> tuple[Recollection, ...]:
        """Keep the best of what fits the model's input."""
        kept = []
        for each in found:
            room -= self._tokens.count(each.text[: prompts.MOST_QUOTED]) + _LINE
            if room < 0:
                break
            kept.append(each)
        return tuple(kept)

    def _answered(
        self,
        asking: "_Asking",
        completion: Completion,
        text: str,
        cited: Sequence[str] | None,
    ) -> Answered:
        labelled = prompts.labels(asking.recalled.found)
        rests_on = _named(labelled, cited)
        messages = [each.id for each in rests_on if each.kind == "message"]
        for each in rests_on:
            messages.extend(each.evidence)
        return Answered(
            content=text,
            conclusions=tuple(e.id for e in rests_on if e.kind == "conclusion"),
            messages=tuple(dict.fromkeys(messages)),
            as_of=asking.recalled.as_of,
            engine=self._engine(completion),
        )

    def _engine(self, completion: Completion) -> Engine:
        usage = msgspec.to_builtins(completion.usage)
        return Engine(
            name=self._effort.model.transport,
            version=prompts.VERSION,
            model=completion.model,
            prompt=f"answer_question@{prompts.VERSION}",
            parameters={
                **self._effort.model.parameters,
                "max_tokens": str(self._effort.max_output),
                "finish": completion.finish,
            },
            usage=usage,
            prompt_hash=prompts.HASH,
            call=completion.call,
        )


def _purpose(question: AskedQuestion) -> Purpose:
    """Return what an answer is counted by; no two are the same, so it has no key."""
    return Purpose(
        workspace=question.workspace,
        feature="dialectic.answer",
        peer=question.peer,
        session=question.session,
    )


class _Asking(msgspec.Struct, frozen=True):
    """What the model is asked, and what was put before it."""

    prompt: Prompt
    schema: JsonSchema | None
    recalled: Recalled


def _named(
    labelled: Mapping[str, Recollection], cited: Sequence[str] | None
) -> list[Recollection]:
    """Return what was cited; where nothing was said of that, all there was."""
    if cited is None:
        return list(labelled.values())
    return [labelled[each] for each in cited if each in labelled]
