"""The tool that finds conclusions (RS 7.5, 14.7)."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from processors.tools.memory import MemoryView, Period
from processors.tools.shown import Shown, ids_in
from processors.tools.tool import ToolResult

MOST_QUERY: Final = 10_000
"""Most characters of what a tool searches for."""

Query = Annotated[
    str, Meta(min_length=1, max_length=MOST_QUERY, description="What to look for.")
]

INSTEAD: Final = 20
"""Most messages that are found where there are no conclusions."""


class Arguments(msgspec.Struct, frozen=True):
    """See the tool."""

    query: Query
    top_k: Annotated[
        int, Meta(ge=1, le=40, description="Most conclusions to return.")
    ] = 20


class SearchMemory:
    """Always tells by which label a conclusion can be named.

    Where nothing was ever concluded, what was said is searched instead.
    """

    name = "search_memory"
    description = (
        "Search what has been concluded, by meaning and words. Each conclusion comes "
        "with its label, level and time. Where there are none, messages are searched "
        "instead."
    )
    arguments = Arguments

    def __init__(
        self, memory: MemoryView, shown: Shown, observed: str | None = None
    ) -> None:
        self._memory = memory
        self._shown = shown
        self._observed = observed

    async def __call__(self, arguments: Arguments, /) -> ToolResult:
        """Search conclusions."""
        found = await self._memory.search_conclusions(arguments.query, arguments.top_k)
        if found:
            lines = self._shown.conclusion_lines(found, of=self._observed)
            return ToolResult("\n".join(lines), tuple(each.id for each in found))
        said = await self._memory.search_messages(
            arguments.query, min(INSTEAD, arguments.top_k), 0, Period()
        )
        if not said:
            return ToolResult("Nothing is found.")
        head = "No conclusion is found; of what was said, this is near:"
        lines = [head, *self._shown.excerpt_lines(said)]
        return ToolResult("\n".join(lines), ids_in(said))
