"""A language model in this process, which says what it is told to.

``ScriptedModel(first, second, ...)`` answers one call each: a text, a ``Says`` with
calls for tools, an exception to raise, or a function of the prompt that returns one.
When none is left it says ``otherwise``. ``prompts`` is what it was asked.
"""

import json
import re

import msgspec

from domain.event import Call
from processors.language_model import (
    Completion,
    Structured,
    ToolCall,
    Usage,
)


class Says(msgspec.Struct, frozen=True):
    """One reply: text, calls, and tokens it took."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage(input=10, output=5)
    artefacts: tuple[dict[str, object], ...] = ()


_TAKEN = Usage(input=10, output=5)


def calls(*named: tuple[str, object], text: str = "", usage: Usage = _TAKEN):
    """Return a reply that calls these tools, with arguments or text for them."""
    made = tuple(
        ToolCall(
            f"call-{n}", name, given if isinstance(given, str) else json.dumps(given)
        )
        for n, (name, given) in enumerate(named)
    )
    return Says(text, made, usage)


class ScriptedModel:
    """Fulfils ``LanguageModel``."""

    transport = "scripted"
    model = "scripted-1"
    parameters: dict[str, str] = {}

    def __init__(self, *script, otherwise="Done."):
        self.script = list(script)
        self.otherwise = otherwise
        self.prompts = []
        self.schemas = []
        self.closed = 0

    def _next(self, prompt, schema=None):
        self.prompts.append(prompt)
        self.schemas.append(schema)
        says = self.script.pop(0) if self.script else self.otherwise
        if callable(says):
            says = says(prompt)
        if isinstance(says, Exception):
            raise says
        return says if isinstance(says, Says) else Says(says)

    async def complete(self, prompt):
        return _completion(self._next(prompt))

    async def stream(self, prompt, schema=None):
        says = self._next(prompt, schema)
        try:
            for piece in re.findall(r"\s*\S+|\s+$", says.text):
                yield piece
            yield _completion(says)
        except GeneratorExit:
            self.closed += 1
            raise

    async def structured(self, prompt, schema):
        says = self._next(prompt, schema)
        return Structured(json.loads(says.text), _completion(says))


def _completion(says):
    return Completion(
        text=says.text,
        model="scripted-1",
        usage=says.usage,
        finish="tools" if says.calls else "stop",
        call=Call(latency_ms=1.0),
        calls=says.calls,
        artefacts=says.artefacts,
    )


def told(prompt):
    """All that a prompt says, for a test to look into."""
    return "\n".join(turn.content for turn in prompt.turns)
