"""One configured model behind the OpenAI protocol (RS 8)."""

import contextlib
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import openai
from msgspec.structs import replace
from openai import AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from infra.llm.json_answer import NotOfSchema, fulfils_strict, read_answer
from infra.llm.openai_answer import read_completion
from infra.llm.openai_request import openai_request
from infra.llm.outcomes import outcome_of, persistently
from infra.llm.streamed_answer import Sentinel, StreamedAnswer
from infra.settings.model_choice import ModelChoice
from processors.language_model import (
    Completion,
    JsonSchema,
    Malformed,
    ModelRefused,
    Prompt,
    Structured,
    Turn,
    Unavailable,
)


class OpenAIModel:
    """Fulfils ``processors.language_model.LanguageModel``."""

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
        self._by = f"{self.transport}/{choice.model}"
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
        chunks: AsyncStream[ChatCompletionChunk]
        chunks, attempts = await persistently(
            self._who, lambda: self._client.chat.completions.create(**request)
        )
        answer = StreamedAnswer(self._who, self._by, attempts)
        sentinel = Sentinel(chunks)
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
        completion = _after(await self._complete(whole), attempts)
        if completion.text:
            yield completion.text
        yield completion

    async def structured(self, prompt: Prompt, schema: JsonSchema) -> Structured:
        """See the port."""
        prompt = _without_calls(prompt)
        first = await self._formed(prompt, schema)
        try:
            return Structured(read_answer(first.text, schema.schema), first)
        except NotOfSchema as wrong:
            again = await self._formed(_corrected(prompt, first.text, wrong), schema)
        try:
            value = read_answer(again.text, schema.schema)
        except NotOfSchema:
            raise Malformed(self._who) from None
        usage, call = first.usage + again.usage, first.call + again.call
        return Structured(value, replace(again, usage=usage, call=call))

    async def _formed(self, prompt: Prompt, schema: JsonSchema) -> Completion:
        """Ask for JSON; an endpoint without schemas gets the schema in words."""
        refusals = 0
        if self._schema_mode == "json_schema":
            try:
                return await self._complete(self._shaped(prompt, schema))
            except ModelRefused as refused:
                if refused.reason == "content_filter":
                    raise
                refusals = 1
        completion = await self._complete(self._in_words(prompt, schema))
        self._schema_mode = "json_object"
        return _after(completion, refusals)

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
        answered: ChatCompletion
        answered, attempts = await persistently(
            self._who, lambda: self._client.chat.completions.create(**request)
        )
        return read_completion(answered, who=self._who, by=self._by, attempts=attempts)

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        return openai_request(self._choice, prompt, self._body)


def _after(completion: Completion, requests: int) -> Completion:
    """Count the requests that were sent before, and brought no answer."""
    call = replace(completion.call, attempts=completion.call.attempts + requests)
    return replace(completion, call=call)


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


def _without_calls(prompt: Prompt) -> Prompt:
    """Have the value now: tools that were used are told of, and none is."""
    return replace(prompt, tool_choice="none") if prompt.tools else prompt


def _with_turns(prompt: Prompt, turns: Sequence[Turn]) -> Prompt:
    return replace(prompt, turns=tuple(turns))
