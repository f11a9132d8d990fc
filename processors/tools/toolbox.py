"""The tools of one run: what is offered of them, and how a call is answered."""

import time
from collections.abc import Sequence
from typing import Final

import msgspec

from processors.language_model import ToolCall, ToolOffer
from processors.tools.arguments import read_arguments, schema_of
from processors.tools.tool import Tool, ToolError

MOST_OUTPUT: Final = 10_000
"""Most characters a tool answers (RS 0), unless settings say otherwise."""

_CUT: Final = "\n[cut here: {more:,} characters more; ask for less at once]"


class ToolUse(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a tool, and what came of it.

    ``arguments`` are the JSON the model wrote. ``chars`` is how long the answer was
    and ``shown`` how much of it the model saw, in characters; ``ids`` are what the
    tool told of, in the order of ``ToolResult``. ``error`` says that it was answered
    with what went wrong.
    """

    iteration: int
    tool: str
    arguments: str
    chars: int
    shown: int
    ids: tuple[str, ...] = ()
    latency_ms: float = 0.0
    error: bool = False


class Toolbox:
    """Tools by their names; none is offered twice."""

    def __init__(self, tools: Sequence[Tool], *, most: int = MOST_OUTPUT) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._most = most
        self.offers = tuple(
            ToolOffer(tool.name, tool.description, schema_of(tool.arguments))
            for tool in tools
        )

    async def use(self, call: ToolCall, iteration: int) -> tuple[str, ToolUse]:
        """Answer a call, in words whatever is wrong with it."""
        begun = time.perf_counter()
        error = False
        ids: tuple[str, ...] = ()
        try:
            tool = self._find(call.name)
            result = await tool(read_arguments(tool.arguments, call.arguments))
            text, ids = result.text, result.ids
        except ToolError as wrong:
            text, error = str(wrong), True
        shown = self._cut(text)
        return shown, ToolUse(
            iteration=iteration,
            tool=call.name,
            arguments=call.arguments,
            chars=len(text),
            shown=len(shown),
            ids=ids,
            latency_ms=round((time.perf_counter() - begun) * 1_000, 3),
            error=error,
        )

    def _find(self, name: str) -> Tool:
        tool = self._tools.get(name)
        if tool is None:
            known = ", ".join(self._tools) or "none"
            raise ToolError(f"There is no such tool. There are: {known}.")
        return tool

    def _cut(self, text: str) -> str:
        if len(text) <= self._most:
            return text
        kept = max(0, self._most - len(_CUT.format(more=len(text))))
        return text[:kept] + _CUT.format(more=len(text) - kept)
