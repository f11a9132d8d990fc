"""One configured model behind the OpenAI protocol (RS 8)."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

import openai
from openai import AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from infra.llm.in_vain import after, counting, nothing_from
from infra.llm.openai_answer import read_completion
from infra.llm.openai_request import openai_request
from infra.llm.patience import Patience
from infra.llm.persistence import Persistence, warmed
from infra.llm.schema_form import JSON_OBJECT, schema_form, spelled_out
from infra.llm.streamed_answer import Sentinel, StreamedAnswer
from infra.llm.structured_answer import ask_for_value
from infra.settings.model_choice import ModelChoice
from processors.language_model import (
    Completion,
    JsonSchema,
    ModelRefused,
    Prompt,
    Structured,
)

_NO_SCHEMA_WITH_TOOLS: Final = frozenset({"gemini"})
"""Transports that take the form of an answer, or tools, and never both (RS 8.3)."""


class OpenAIModel:
    """Fulfils ``processors.language_model.LanguageModel``.

    So do the transports ``gemini`` and ``groq``, at addresses of their own.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        choice: ModelChoice,
        body: Mapping[str, Any],
        patience: Patience | None = None,
    ) -> None:
        self.transport = choice.transport
        self.model = choice.model
        self._client = client
        self._choice = choice
        self._body = dict(body)
        self._patience = patience or Patience()
        self._schema_mode = choice.structured_output_mode
        self._who = f"the model {choice.model}"
        self._by = f"{choice.transport}/{choice.model}"
        self._persistence = Persistence(
            choice.model, self._patience, (openai.OpenAIError,)
        )
        self._says_when_done = False
        """Whether its streams end by a reason or a sentinel; some never do."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """What was configured beside the model, as is recorded with what it makes."""
        return self._choice.parameters

    async def complete(self, prompt: Prompt) -> Completion:
        """See the port."""
        return await self._complete(self._request(prompt))

    async def stream(
        self, prompt: Prompt, schema: JsonSchema | None = None
    ) -> AsyncGenerator[str | Completion, None]:
        """See the port."""
        whole = self._request(prompt) if schema is None else self._of(prompt, schema)
        (chunks, sentinel, first), attempts = await self._begun(whole, prompt, schema)
        answer = StreamedAnswer(self._who, self._by, attempts)
        async with (
            contextlib.aclosing(chunks),
            contextlib.aclosing(self._persistence.paced(chunks, attempts)) as paced,
        ):
            if first is not None and (piece := answer.read(first)):
                yield piece
            async for chunk in paced:
                if piece := answer.read(chunk):
                    yield piece
        said_so = sentinel.seen or answer.finished
        self._says_when_done |= said_so
        if answer.begun or said_so:
            yield answer.completion(whole=said_so or not self._says_when_done)
            return
        # Without a single event, it is an endpoint that does not stream.
        unstreamed = nothing_from(self.model, attempts)
        with counting(unstreamed):
            completion = after(unstreamed, await self._complete(whole))
        if completion.text:
            yield completion.text
        yield completion

    async def structured(self, prompt: Prompt, schema: JsonSchema) -> Structured:
        """See the port."""
        return await ask_for_value(
            self._who, prompt, schema, lambda asked: self._formed(asked, schema)
        )

    async def _formed(self, prompt: Prompt, schema: JsonSchema) -> Completion:
        """Ask for JSON; an endpoint without schemas gets the schema in words."""
        if not self._knows_schemas(prompt):
            return await self._complete(self._in_words(prompt, schema))
        try:
            return await self._complete(self._of(prompt, schema))
        except ModelRefused as refused:
            if refused.withheld:
                raise
            in_vain = refused.in_vain
        with counting(in_vain):
            completion = await self._complete(self._in_words(prompt, schema))
        self._schema_mode = "json_object"
        return after(in_vain, completion)

    async def _begun(
        self, request: dict[str, Any], prompt: Prompt, schema: JsonSchema | None
    ) -> tuple["_Begun", int]:
        """Open a stream, as ``_formed`` asks where a form is wanted."""
        try:
            return await self._persistence.ask(lambda again: self._open(request, again))
        except ModelRefused as refused:
            if schema is None or refused.withheld or not self._knows_schemas(prompt):
                raise
            in_vain = refused.in_vain
        spelled = self._in_words(prompt, schema)
        with counting(in_vain):
            begun, attempts = await self._persistence.ask(
                lambda again: self._open(spelled, again)
            )
        self._schema_mode = "json_object"
        return begun, attempts + 1

    def _knows_schemas(self, prompt: Prompt) -> bool:
        if prompt.tools and self.transport in _NO_SCHEMA_WITH_TOOLS:
            return False
        return self._schema_mode == "json_schema"

    def _of(self, prompt: Prompt, schema: JsonSchema) -> dict[str, Any]:
        """Ask for JSON in the way this endpoint is known to understand."""
        if not self._knows_schemas(prompt):
            return self._in_words(prompt, schema)
        return self._request(prompt) | {"response_format": schema_form(schema)}

    def _in_words(self, prompt: Prompt, schema: JsonSchema) -> dict[str, Any]:
        request = self._request(spelled_out(prompt, schema))
        if prompt.tools and self.transport in _NO_SCHEMA_WITH_TOOLS:
            return request
        return request | {"response_format": JSON_OBJECT}

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        return openai_request(self._choice, prompt, self._body)

    async def _complete(self, request: Mapping[str, Any]) -> Completion:
        async def send(again: bool) -> ChatCompletion:  # noqa: FBT001  what Persistence says
            answered: ChatCompletion = await self._client.chat.completions.create(
                **_sent(request, again=again)
            )
            return answered

        answered, attempts = await self._persistence.ask(send)
        return read_completion(answered, who=self._who, by=self._by, attempts=attempts)

    async def _open(self, request: dict[str, Any], again: bool) -> "_Begun":  # noqa: FBT001  what Persistence says
        """Open a stream as far as its first piece: until then it may be tried again."""
        streamed = request | {"stream": True, "stream_options": {"include_usage": True}}
        async with (
            asyncio.timeout(self._patience.first),
            contextlib.AsyncExitStack() as opened,
        ):
            chunks: AsyncStream[
                ChatCompletionChunk
            ] = await self._client.chat.completions.create(
                **_sent(streamed, again=again)
            )
            opened.push_async_callback(chunks.close)
            sentinel = Sentinel(chunks)
            first = await anext(chunks, None)
            opened.pop_all()
        return chunks, sentinel, first


_Begun = tuple[AsyncStream[ChatCompletionChunk], Sentinel, ChatCompletionChunk | None]


def _sent(request: Mapping[str, Any], *, again: bool) -> dict[str, Any]:
    sent = dict(request)
    if "temperature" in sent:
        sent["temperature"] = warmed(sent["temperature"], again=again)
    return sent
