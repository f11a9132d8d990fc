"""One configured model behind Anthropic's protocol (RS 8)."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import anthropic
import httpx2
from anthropic import AsyncAnthropic, AsyncStream
from anthropic.types import RawMessageStreamEvent

from infra.llm.anthropic_answer import AnthropicAnswer
from infra.llm.anthropic_request import (
    anthropic_request,
    is_thinking,
    sampling_of,
)
from infra.llm.in_vain import after, counting
from infra.llm.patience import Patience
from infra.llm.persistence import Persistence, warmed
from infra.llm.schema_form import spelled_out
from infra.llm.structured_answer import ask_for_value
from infra.settings.model_choice import ModelChoice
from processors.language_model import (
    Completion,
    JsonSchema,
    ModelRefused,
    Prompt,
    Structured,
)

T = TypeVar("T")

_SAMPLING: Final = frozenset({"temperature", "top_p", "top_k"})

_Begun = tuple[AsyncStream[RawMessageStreamEvent], RawMessageStreamEvent | None]


class AnthropicModel:
    """Fulfils ``processors.language_model.LanguageModel``.

    A value is asked for as the input of a tool that must be used, in words where no
    tool can be forced: while the model thinks, or where a schema is not an object's.
    """

    def __init__(
        self,
        client: AsyncAnthropic,
        choice: ModelChoice,
        body: Mapping[str, Any],
        patience: Patience,
    ) -> None:
        self.transport = choice.transport
        self.model = choice.model
        self._client = client
        self._choice = choice
        self._body = dict(body)
        self._patience = patience
        self._takes_schemas = self._takes_sampling = True
        self._who = f"the model {choice.model}"
        self._by = f"{choice.transport}/{choice.model}"
        # What breaks within a stream its SDK does not wrap.
        failures = (anthropic.AnthropicError, httpx2.HTTPError)
        self._persistence = Persistence(choice.model, patience, failures)

    @property
    def parameters(self) -> Mapping[str, str]:
        """What was configured beside the model, as is recorded with what it makes."""
        return self._choice.parameters

    async def complete(self, prompt: Prompt) -> Completion:
        """See the port."""
        return await self._complete(self._request(prompt), None)

    async def stream(
        self, prompt: Prompt, schema: JsonSchema | None = None
    ) -> AsyncGenerator[str | Completion, None]:
        """See the port."""
        request, value_of = self._shaped(prompt, schema)
        (events, first), attempts = await self._persist(request, self._open)
        answer = AnthropicAnswer(self._who, self._by, attempts, value_of)
        async with (
            contextlib.aclosing(_Closing(events)),
            contextlib.aclosing(self._persistence.paced(events, attempts)) as paced,
        ):
            if first is not None and (piece := answer.read(first)):
                yield piece
            async for event in paced:
                if piece := answer.read(event):
                    yield piece
        yield answer.completion()

    async def structured(self, prompt: Prompt, schema: JsonSchema) -> Structured:
        """See the port."""
        return await ask_for_value(
            self._who, prompt, schema, lambda asked: self._formed(asked, schema)
        )

    async def _formed(self, prompt: Prompt, schema: JsonSchema) -> Completion:
        """Ask for a value; who does not take its schema gets it in words."""
        request, value_of = self._shaped(prompt, schema)
        try:
            return await self._complete(request, value_of)
        except ModelRefused as refused:
            if refused.withheld or value_of is None:
                raise
            in_vain = refused.in_vain
        with counting(in_vain):
            spelled = self._request(spelled_out(prompt, schema))
            completion = await self._complete(spelled, None)
        self._takes_schemas = False
        return after(in_vain, completion)

    def _shaped(
        self, prompt: Prompt, schema: JsonSchema | None
    ) -> tuple[dict[str, Any], str | None]:
        """Return a request, and the tool whose input will be the value asked for."""
        request = self._request(prompt)
        if schema is None:
            return request, None
        shown = dict(schema.schema if schema.shown is None else schema.shown)
        chooses = bool(prompt.tools) and prompt.tool_choice != "none"
        if (
            chooses
            or is_thinking(request)
            or not (self._takes_schemas and _is_of_object(shown))
        ):
            return self._request(spelled_out(prompt, schema)), None
        tool = {
            "name": schema.name,
            "description": "Give the answer, whole, as this tool's input.",
            "input_schema": shown,
        }
        request["tools"] = [*request.get("tools", ()), tool]
        request["tool_choice"] = {"type": "tool", "name": schema.name}
        return request, schema.name

    def _request(self, prompt: Prompt) -> dict[str, Any]:
        request = anthropic_request(self._choice, prompt)
        body = dict(self._body)
        if self._takes_sampling and not is_thinking(request):
            body = sampling_of(self._choice, prompt) | body
        return request | ({"extra_body": body} if body else {})

    async def _complete(
        self, request: dict[str, Any], value_of: str | None
    ) -> Completion:
        async def send(request: dict[str, Any]) -> Any:
            return await self._client.messages.create(**request)

        message, attempts = await self._persist(request, send)
        answer = AnthropicAnswer(self._who, self._by, attempts, value_of)
        if isinstance(message, anthropic.BaseModel):
            answer.take(message)
        return answer.completion()

    async def _persist(
        self, request: dict[str, Any], send: Callable[[dict[str, Any]], Awaitable[T]]
    ) -> tuple[T, int]:
        """Send a request; where sampling is refused, without it from then on."""
        try:
            return await self._persistence.ask(
                lambda again: send(_warmed(request, again=again))
            )
        except ModelRefused as refused:
            in_vain, plain = refused.in_vain, _without_sampling(request)
            if refused.withheld or plain == request:
                raise
        with counting(in_vain):
            found, attempts = await self._persistence.ask(lambda _: send(plain))
        self._takes_sampling = False
        return found, attempts + 1

    async def _open(self, request: dict[str, Any]) -> _Begun:
        """Open a stream as far as its first event: until then it may be tried again."""
        sent = request | {"stream": True}
        async with (
            asyncio.timeout(self._patience.first),
            contextlib.AsyncExitStack() as opened,
        ):
            events: AsyncStream[
                RawMessageStreamEvent
            ] = await self._client.messages.create(**sent)
            opened.push_async_callback(events.close)
            first = await anext(events, None)
            opened.pop_all()
        return events, first


class _Closing:
    """Closes a stream of the SDK, under the name ``aclosing`` knows."""

    def __init__(self, stream: AsyncStream[RawMessageStreamEvent]) -> None:
        self.aclose = stream.close


def _is_of_object(schema: Mapping[str, Any]) -> bool:
    """Tell whether a schema may be a tool's: plainly an object."""
    return schema.get("type") == "object" and schema.keys().isdisjoint(
        {"oneOf", "anyOf", "allOf"}
    )


def _warmed(request: dict[str, Any], *, again: bool) -> dict[str, Any]:
    body = request.get("extra_body") or {}
    if "temperature" not in body:
        return request
    warm = warmed(body["temperature"], again=again)
    return request | {"extra_body": body | {"temperature": warm}}


def _without_sampling(request: dict[str, Any]) -> dict[str, Any]:
    body = request.get("extra_body") or {}
    kept = {name: value for name, value in body.items() if name not in _SAMPLING}
    return request | {"extra_body": kept} if kept != body else request
