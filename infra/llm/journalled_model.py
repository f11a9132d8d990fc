"""A model whose every call is journalled, paid once, counted and within budget."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

import msgspec

from domain.call import Outcome
from infra.ledger.asked import Asked, Form, Taken, spelled
from infra.ledger.estimate import Estimate
from infra.ledger.ledger import Ledger, Opened
from infra.llm.wrapped_model import WrappedModel
from processors.language_model import (
    Completion,
    JsonSchema,
    LanguageModel,
    Malformed,
    ModelRefused,
    Prompt,
    Structured,
    Unavailable,
    Usage,
)

T = TypeVar("T", Completion, Structured)


class JournalledModel(WrappedModel):
    """Fulfils ``LanguageModel`` with another one, between a ledger's begin and end.

    A prompt whose purpose has a key is answered by what the same work was answered
    before, if that is kept. One without a purpose passes through.
    """

    def __init__(
        self, model: LanguageModel, ledger: Ledger, estimate: Estimate
    ) -> None:
        super().__init__(model)
        self._ledger = ledger
        self._estimate = estimate

    async def complete(self, prompt: Prompt) -> Completion:
        """See the port.

        Raises:
            BudgetExhausted, Unavailable, ModelRefused
        """
        asked = self._asked(prompt, None, "complete")
        if asked is None:
            return await self._inner.complete(prompt)
        return await self._once(
            asked, Completion, lambda: self._inner.complete(prompt), _itself
        )

    async def structured(self, prompt: Prompt, schema: JsonSchema) -> Structured:
        """See the port.

        Raises:
            BudgetExhausted, Malformed, Unavailable, ModelRefused
        """
        asked = self._asked(prompt, schema, "structured")
        if asked is None:
            return await self._inner.structured(prompt, schema)
        return await self._once(
            asked,
            Structured,
            lambda: self._inner.structured(prompt, schema),
            lambda answer: answer.completion,
        )

    async def stream(
        self, prompt: Prompt, schema: JsonSchema | None = None
    ) -> AsyncGenerator[str | Completion, None]:
        """See the port; what was answered before comes in one piece.

        Raises:
            BudgetExhausted, Unavailable, ModelRefused
        """
        asked = self._asked(prompt, schema, "stream")
        if asked is None:
            async with aclosing(self._inner.stream(prompt, schema)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        opened = await self._ledger.begin(asked)
        if opened.answer is not None:
            completion = msgspec.json.decode(opened.answer, type=Completion)
            if completion.text:
                yield completion.text
            yield completion
            return
        async with aclosing(self._streamed(opened, prompt, schema)) as pieces:
            async for piece in pieces:
                yield piece

    async def _streamed(
        self, opened: Opened, prompt: Prompt, schema: JsonSchema | None
    ) -> AsyncGenerator[str | Completion, None]:
        told: list[str] = []
        is_whole = False
        try:
            async with aclosing(self._inner.stream(prompt, schema)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Completion):
                        answer = _with_id(piece, opened)
                        is_whole = True
                        await self._answered(opened, answer, answer)
                        yield answer
                    else:
                        told.append(piece)
                        yield piece
            self._check(is_whole)
        except BaseException as ended:
            if not is_whole:
                self._ended(opened, ended, "".join(told))
            raise

    def _check(self, is_whole: bool) -> None:  # noqa: FBT001  a fact about the stream
        if not is_whole:
            raise Unavailable(f"the model {self.model}")

    async def _once(
        self,
        asked: Asked,
        kind: type[T],
        ask: Callable[[], Awaitable[T]],
        completion_of: Callable[[T], Completion],
    ) -> T:
        """Ask, unless that was answered before; settle it, whatever comes of it."""
        opened = await self._ledger.begin(asked)
        if opened.answer is not None:
            return msgspec.json.decode(opened.answer, type=kind)
        try:
            answer = await ask()
        except BaseException as ended:
            self._ended(opened, ended, "")
            raise
        completion = _with_id(completion_of(answer), opened)
        whole = completion if kind is Completion else _with(answer, completion)
        await self._answered(opened, completion, whole)
        return whole  # type: ignore[return-value]  # of the kind that was asked for

    async def _answered(
        self, opened: Opened, completion: Completion, whole: Completion | Structured
    ) -> None:
        taken = self._taken(completion)
        if not _tokens(taken.usage):
            told = [completion.text, *(each.arguments for each in completion.calls)]
            taken = self._reckoned(taken, opened.asked, "\n".join(told))
        await self._ledger.answered(opened, taken, msgspec.json.encode(whole))

    def _ended(self, opened: Opened, ended: BaseException, told: str) -> None:
        """Settle a call that brought no answer, with what is known of its cost."""
        in_vain = getattr(ended, "in_vain", None)
        outcome, reason = _outcome_of(ended)
        taken = Taken(outcome=outcome)
        if isinstance(in_vain, Completion):
            taken = self._taken(in_vain)
        if outcome == "cancelled" or (told and not _tokens(taken.usage)):
            taken = self._reckoned(taken, opened.asked, told)
        taken = msgspec.structs.replace(taken, outcome=outcome, reason=reason)
        self._ledger.ended(opened, taken)

    def _reckoned(self, taken: Taken, asked: Asked, told: str) -> Taken:
        """Count here what nobody told of: what was given, and what came of it."""
        output = self._estimate.told(told)
        usage = msgspec.structs.replace(asked.given, output=output)
        cost = self._estimate.cost_of(usage, taken.model or self.model)
        call = msgspec.structs.replace(taken.call, cost_usd_micros=cost)
        return msgspec.structs.replace(taken, usage=usage, call=call, estimated=True)

    def _taken(self, completion: Completion) -> Taken:
        call = msgspec.structs.replace(
            completion.call, cost_usd_micros=self._estimate.cost(completion)
        )
        return Taken(
            outcome="answered",
            usage=completion.usage,
            call=call,
            transport=completion.transport,
            model=completion.model,
            finish=completion.finish,
            fallback=completion.fallback,
        )

    def _asked(
        self, prompt: Prompt, schema: JsonSchema | None, form: Form
    ) -> Asked | None:
        if prompt.purpose is None:
            return None
        given = Usage(input=self._estimate.given(prompt, schema))
        return Asked(
            purpose=prompt.purpose,
            form=form,
            transport=self.transport,
            model=self.model,
            request=spelled(prompt, schema, form),
            parameters=self.parameters,
            given=given,
            given_cost=self._estimate.cost_of(given, self.model),
            most=self._estimate.most(prompt, schema, form),
            unpriced=self._estimate.unpriced,
        )


def _outcome_of(ended: BaseException) -> tuple[Outcome, str]:
    match ended:
        case asyncio.CancelledError() | GeneratorExit():
            return "cancelled", ""
        case ModelRefused(reason=reason):
            return "refused", reason
        case Malformed():
            return "failed", "malformed"
        case Unavailable():
            return "failed", "unavailable"
        case _:
            return "failed", type(ended).__name__


def _tokens(usage: Usage) -> int:
    return usage.input + usage.output


def _itself(completion: Completion) -> Completion:
    return completion


def _with(answer: Completion | Structured, completion: Completion) -> Structured:
    return Structured(getattr(answer, "value", None), completion)


def _with_id(completion: Completion, opened: Opened) -> Completion:
    """Say in an answer under which id the call is recorded."""
    call = msgspec.structs.replace(completion.call, ids=(opened.id,))
    return msgspec.structs.replace(completion, call=call)
