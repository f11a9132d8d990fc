"""An answer of Anthropic's protocol, whole or as its stream has come (RS 8.3, 8.6)."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from anthropic import BaseModel

from domain.event import Call
from infra.llm.artefacts import artefact
from infra.llm.foreign import checked, count, own_name, reading
from infra.llm.in_vain import nothing_from
from infra.llm.json_answer import clean
from infra.llm.openai_answer import Finish, made_call
from processors.language_model import (
    Completion,
    ModelRefused,
    ToolCall,
    Unavailable,
    Usage,
)

_FINISHES: Final[Mapping[str, Finish]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tools",
}

_THOUGHT: Final = frozenset({"thinking", "redacted_thinking"})

_KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("text",),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "name", "input"),
}
"""Of each kind of block what may go back; the rest is only told."""


class AnthropicAnswer:
    """An answer as far as it has come; ``by`` is the transport and model asked.

    ``value_of`` names the tool by which a value is given: its input is the text.
    """

    def __init__(self, who: str, by: str, attempts: int, value_of: str | None) -> None:
        self._who = who
        self._by = by
        self._attempts = attempts
        self._value_of = value_of
        self._model = by.partition("/")[2]
        self._blocks: dict[int, dict[str, Any]] = {}
        self._usage: dict[str, Any] = {}
        self._stop: str | None = None
        self.ended = False

    def read(self, event: BaseModel) -> str:
        """Take in one event of a stream; return the text it adds.

        Raises:
            Unavailable: it has not the shape of one.
        """
        with reading(self._who, self._model, self._attempts):
            return self._read(event.to_dict(warnings=False))

    def _read(self, event: Mapping[str, Any]) -> str:
        match event.get("type"):
            case "message_start":
                self._begin(event.get("message") or {})
            case "content_block_start":
                block = {**(event.get("content_block") or {})}
                if block.get("type") == "tool_use":
                    block["input"] = ""
                self._blocks[event.get("index", 0)] = block
            case "content_block_delta":
                return self._grow(event.get("index", 0), event.get("delta") or {})
            case "message_delta":
                stop = (event.get("delta") or {}).get("stop_reason")
                self._stop = stop or self._stop
                self._spend(event.get("usage"))
            case "message_stop":
                self.ended = True
            case _:  # pings, and what is not known yet
                pass
        return ""

    def take(self, message: BaseModel) -> None:
        """Take in a whole answer.

        Raises:
            Unavailable: it has not the shape of one.
        """
        with reading(self._who, self._model, self._attempts):
            self._take(message.to_dict(warnings=False))

    def _take(self, message: Mapping[str, Any]) -> None:
        self._begin(message)
        self._stop = message.get("stop_reason")
        for index, block in enumerate(message.get("content") or ()):
            written = {**block}
            if written.get("type") == "tool_use":
                given = written.get("input") or {}
                written["input"] = json.dumps(given, ensure_ascii=False)
            self._blocks[index] = written
        self.ended = bool(self._blocks) or self._stop is not None

    def completion(self) -> Completion:
        """Return the whole of it.

        Raises:
            Unavailable: it is not whole.
            ModelRefused
        """
        with reading(self._who, self._model, self._attempts):
            if not self.ended:
                raise Unavailable(self._who, in_vain=self._in_vain)
            if self._stop == "refusal":
                raise ModelRefused(self._who, "refusal", self._in_vain)
            return checked(self._completion())

    def _completion(self) -> Completion:
        finish = _FINISHES.get(self._stop or "", "other")
        calls = tuple(self._calls(cut=finish == "length"))
        value = next(self._values(), None)
        if value is not None:
            calls, finish = (), "stop" if finish == "tools" else finish
        return Completion(
            text="".join(self._texts()) if value is None else value,
            model=self._model,
            usage=usage_of(self._usage),
            finish=finish,
            call=Call(attempts=self._attempts),
            calls=calls,
            artefacts=self._artefacts(calls),
        )

    def _begin(self, message: Mapping[str, Any]) -> None:
        self._model = own_name(message.get("model"), self._model)
        self._spend(message.get("usage"))

    def _spend(self, usage: Mapping[str, Any] | None) -> None:
        """Later counts go before: they are of all there was until then."""
        said = usage or {}
        self._usage |= {name: each for name, each in said.items() if each is not None}

    def _grow(self, index: int, delta: Mapping[str, Any]) -> str:
        block = self._blocks.setdefault(index, {"type": "text", "text": ""})
        match delta.get("type"):
            case "text_delta":
                piece = clean(delta.get("text") or "")
                block["text"] = block.get("text", "") + piece
                return piece
            case "input_json_delta":
                part = delta.get("partial_json") or ""
                block["input"] = block.get("input", "") + part
                return part if self._is_value(block) else ""
            case "thinking_delta" | "signature_delta":
                name = "thinking" if "thinking" in delta else "signature"
                block[name] = block.get(name, "") + delta[name]
            case _:
                pass
        return ""

    def _is_value(self, block: Mapping[str, Any]) -> bool:
        return block.get("type") == "tool_use" and block.get("name") == self._value_of

    def _values(self) -> Iterator[str]:
        return (b["input"] or "{}" for b in self._blocks.values() if self._is_value(b))

    def _texts(self) -> Iterator[str]:
        blocks = self._blocks.values()
        return (clean(b.get("text") or "") for b in blocks if b.get("type") == "text")

    def _calls(self, *, cut: bool) -> Iterator[ToolCall]:
        """Yield the calls, and of a cut answer not the one it was cut in."""
        for block in self._blocks.values():
            if block.get("type") != "tool_use" or self._is_value(block):
                continue
            if not cut or _is_json(block["input"] or "{}"):
                yield made_call(
                    block.get("id"), block.get("name"), block["input"] or "{}"
                )

    def _artefacts(self, calls: Sequence[ToolCall]) -> tuple[Mapping[str, Any], ...]:
        """Keep the blocks as they came where thought stands among calls."""
        kinds = {block.get("type") for block in self._blocks.values()}
        if not calls or kinds.isdisjoint(_THOUGHT):
            return ()
        wanted = {call.id for call in calls}
        return (artefact(self._by, {"blocks": list(self._returnable(wanted))}),)

    def _returnable(self, wanted: set[str]) -> Iterator[dict[str, Any]]:
        for block in self._blocks.values():
            kind = block.get("type", "")
            if kind not in _KEPT or block.get("text") == "":
                continue
            kept = {"type": kind, **{name: block.get(name) for name in _KEPT[kind]}}
            if kind == "tool_use":
                if block.get("id") not in wanted or not _is_json(
                    block["input"] or "{}"
                ):
                    continue
                kept["input"] = json.loads(block["input"] or "{}")
            yield kept

    @property
    def _in_vain(self) -> Completion:
        usage = usage_of(self._usage) if self._usage else None
        return nothing_from(self._model, self._attempts, usage)


def usage_of(spent: Mapping[str, Any]) -> Usage:
    """Read Anthropic's count; its input leaves out what a cache had or took."""
    read = count(spent.get("cache_read_input_tokens"))
    written = count(spent.get("cache_creation_input_tokens"))
    details = spent.get("output_tokens_details") or {}
    return Usage(
        input=count(spent.get("input_tokens")) + read + written,
        output=count(spent.get("output_tokens")),
        cached=read,
        cache_written=written,
        reasoning=count(details.get("thinking_tokens")),
    )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
