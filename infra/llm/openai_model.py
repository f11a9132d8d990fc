"""One configured model behind the OpenAI protocol (RS 8)."""

import contextlib
import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final

import openai
from openai import AsyncOpenAI, AsyncStream
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from infra.llm.json_answer import NotOfSchema, clean, fulfils_strict, read_answer
from infra.llm.outcomes import outcome_of, persistently
from infra.settings.model_choice import ModelChoice
from processors.ports import (
    Completion,
    JsonSchema,
    Malformed,
    ModelRefused,
    Prompt,
    Structured,
    Turn,
    Unavailable,
    Usage,
)

_REASONING_CLASS: Final = re.compile(r"(.*/)?(gpt-5|o[1-9])")
"""Models that think first: they take ``max_completion_tokens``, no temperature."""


_SENTINEL_WITHIN: Final = 64
"""Bytes from the end of a stream in which its last event stands."""


class OpenAIModel:
    """Fulfils ``processors.ports.LanguageModel``."""

    transport = "openai"

    def __init__(
        self, client: AsyncOpenAI, choice: ModelChoice, body: Mapping[str, Any]
    ) -> None:
        self.model = choice.model
        self._client = client
        self._choice = choice
        self._body = dict(body)
        self._schema_mode = choice.structured_output_mode
        self._who = f"the model {choice.model}"
        self._says_when_done = False
        """Whether its streams end by a reason or a sentinel; some never do."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """What was configured beside the model, as is recorded with what it makes."""
        configured = self._choice.model_dump(
            exclude_none=True,
            exclude={"transport", "model", "overrides", "fallback"},
        )
        return {name: str(value) for name, value in configured.items()}

    async def complete(self, prompt: Prompt) -> Completion:
        """See the port."""
        return await self._complete(self._request(prompt))

    async def stream(
        self, prompt: Prompt, schema: JsonSchema | None = None
    ) -> AsyncGenerator[str | Completion, None]:
        """See the port."""
        whole = self._request(prompt)
        if schema is not None:
            whole = self._shaped(prompt, schema)
        request = whole | {"stream": True, "stream_options": {"include_usage": True}}
        chunks: AsyncStream[ChatCompletionChunk] = await persistently(
            self._who, lambda: self._client.chat.completions.create(**request)
        )
        answer = _Answer(self._who, self.model)
        sentinel = _Sentinel(chunks)
        async with contextlib.aclosing(chunks):
            try:
                async for chunk in chunks:
                    piece = answer.read(chunk)
                    if piece:
                        yield piece
            except openai.OpenAIError as error:
                raise outcome_of(self._who, error) from None
            except json.JSONDecodeError:
                raise Unavailable(self._who) from None
        said_so = sentinel.seen or answer.finished
        self._says_when_done |= said_so
        if answer.begun or said_so:
            yield answer.completion(whole=said_so or not self._says_when_done)
            return
        # Without a single event, it is an endpoint that does not stream.
        completion = await self._complete(whole)
        if completion.text:
            yield completion.text
        yield completion

    async def structured(self, prompt: Prompt, schema: JsonSchema) -> Structured:
        """See the port."""
        first = await self._formed(prompt, schema)
        try:
            return Structured(read_answer(first.text, schema.schema), first)
        except NotOfSchema as wrong:
            again = await self._formed(_corrected(prompt, first.text, wrong), schema)
        spent = first.usage + again.usage
        try:
            value = read_answer(again.text, schema.schema)
        except NotOfSchema:
            raise Malformed(self._who) from None
        completion = Completion(
            text=again.text, model=again.model, usage=spent, finish=again.finish
        )
        return Structured(value, completion)

    async def _formed(self, prompt: Prompt, schema: JsonSchema) -> Completion:
        """Ask for JSON; an endpoint without schemas gets the schema in words."""
        if self._schema_mode == "json_schema":
            try:
                return await self._complete(self._shaped(prompt, schema))
            except ModelRefused as refused:
                if refused.reason == "content_filter":
                    raise
        completion = await self._complete(self._in_words(prompt, schema))
        self._schema_mode = "json_object"
        return completion

    def _shaped(self, prompt: Prompt, schema: JsonSchema) -> dict[str, Any]:
        """Ask for JSON in the way this endpoint is known to understand."""
        if self._schema_mode == "json_object":
            return self._in_words(prompt, schema)
        form = {"type": "json_schema", "json_schema": _wire(schema)}
        return self._request(prompt) | {"response_format": form}

    def _in_words(self, prompt: Prompt, schema: JsonSchema) -> dict[str, Any]:
        form = {"type": "json_object"}
        return self._request(_spelled_out(prompt, schema)) | {"response_format": form}

    async def _complete(self, request: Mapping[str, Any]) -> Completion:
        answered: ChatCompletion = await persistently(
            self._who, lambda: self._client.chat.completions.create(**request)
        )
        if not getattr(answered, "choices", None):
            raise Unavailable(self._who)
        choice = answered.choices[0]
        if choice.message.refusal or choice.finish_reason == "content_filter":
            raise ModelRefused(self._who, "content_filter")
        return Completion(
            text=clean(choice.message.content or ""),
            model=answered.model or self.model,
            usage=_usage(answered.usage),
            finish=_finish(choice.finish_reason),
        )

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        choice = self._choice
        thinks = _REASONING_CLASS.match(self.model) is not None
        most = min(prompt.max_tokens, choice.max_output_tokens or prompt.max_tokens)
        temperature = (
            choice.temperature if prompt.temperature is None else prompt.temperature
        )
        asked: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": t.role, "content": t.content} for t in prompt.turns],
            "max_completion_tokens" if thinks else "max_tokens": most,
            "temperature": None if thinks else temperature,
            "top_p": None if thinks else choice.top_p,
            "frequency_penalty": choice.frequency_penalty,
            "presence_penalty": choice.presence_penalty,
            "seed": choice.seed,
            "stop": choice.stop_sequences,
            "reasoning_effort": choice.thinking_effort,
            "extra_body": self._body or None,
        }
        return {name: value for name, value in asked.items() if value is not None}


class _Answer:
    """A streamed answer as far as it has come; ``begun`` once anything has."""

    def __init__(self, who: str, model: str) -> None:
        self._who = who
        self.begun = False
        self._model = model
        self._pieces: list[str] = []
        self._usage: CompletionUsage | None = None
        self._finish: str | None = None

    def read(self, chunk: ChatCompletionChunk) -> str:
        """Take in one chunk; return the text it adds.

        Raises:
            ModelRefused
        """
        self.begun = True
        self._model = chunk.model or self._model
        self._usage = chunk.usage or self._usage
        piece = ""
        for choice in chunk.choices or ():
            self._finish = choice.finish_reason or self._finish
            if choice.delta.refusal or self._finish == "content_filter":
                raise ModelRefused(self._who, "content_filter")
            piece += choice.delta.content or ""
        piece = clean(piece)
        self._pieces.append(piece)
        return piece

    @property
    def finished(self) -> bool:
        """Whether it said why it ends."""
        return self._finish is not None

    def completion(self, *, whole: bool) -> Completion:
        """Return the whole of it; some endpoints never say why an answer ends.

        Raises:
            Unavailable: it is not whole.
        """
        if not whole:
            raise Unavailable(self._who)
        return Completion(
            text="".join(self._pieces),
            model=self._model,
            usage=_usage(self._usage),
            finish=_finish(self._finish),
        )


class _Sentinel:
    """Sees whether a stream was ended by ``[DONE]``, which the SDK keeps to itself."""

    def __init__(self, chunks: AsyncStream[ChatCompletionChunk]) -> None:
        self._tail = b""
        self._read = chunks.response.aiter_bytes
        chunks.response.aiter_bytes = self._watched  # type: ignore[method-assign]  # the body has no other observer

    @property
    def seen(self) -> bool:
        return b"data:[DONE]" in self._tail.replace(b" ", b"")

    async def _watched(
        self, chunk_size: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        async for part in self._read(chunk_size):
            self._tail = (self._tail + part)[-_SENTINEL_WITHIN:]
            yield part


def _wire(schema: JsonSchema) -> dict[str, Any]:
    shown = dict(schema.schema if schema.shown is None else schema.shown)
    return {"name": schema.name, "schema": shown, "strict": fulfils_strict(shown)}


def _spelled_out(prompt: Prompt, schema: JsonSchema) -> Prompt:
    """Put the schema into the prompt (RS 8.5)."""
    shown = schema.schema if schema.shown is None else schema.shown
    form = (
        "Answer with one JSON object and nothing else. It must fit this JSON Schema:\n"
        + json.dumps(shown, ensure_ascii=False)
    )
    return _with_turns(prompt, (Turn("system", form), *prompt.turns))


def _corrected(prompt: Prompt, answer: str, wrong: NotOfSchema) -> Prompt:
    asked = (
        f"That answer does not fit the JSON Schema: {wrong}\n"
        "Give the whole answer again as one JSON object that fits, and nothing else."
    )
    turns = (*prompt.turns, Turn("assistant", answer), Turn("user", asked))
    return _with_turns(prompt, turns)


def _with_turns(prompt: Prompt, turns: Sequence[Turn]) -> Prompt:
    return Prompt(
        turns=tuple(turns),
        max_tokens=prompt.max_tokens,
        temperature=prompt.temperature,
    )


def _usage(spent: CompletionUsage | None) -> Usage:
    """Read a provider's count; what it does not say is 0 (RS 8.6)."""
    if spent is None:
        return Usage()
    read, thought = spent.prompt_tokens_details, spent.completion_tokens_details
    return Usage(
        input=spent.prompt_tokens or 0,
        output=spent.completion_tokens or 0,
        cached=(read.cached_tokens if read else 0) or 0,
        reasoning=(thought.reasoning_tokens if thought else 0) or 0,
    )


def _finish(reason: str | None) -> Any:
    return reason if reason in {"stop", "length"} else "other"
