"""The tool that finds what was said (RS 7.5)."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from processors.tools.memory import MemoryView, Period
from processors.tools.search_memory import Query
from processors.tools.shown import Shown, ids_in
from processors.tools.tool import ToolResult

AROUND: Final = 2
"""Messages shown before and after one that is found, at most."""


class Arguments(msgspec.Struct, frozen=True):
    """See the tool."""

    query: Query
    limit: Annotated[int, Meta(ge=1, le=20, description="Most messages to find.")] = 10


class SearchMessages:
    """Finds messages by words and meaning, with what was said around them."""

    name = "search_messages"
    description = (
        "Search what was said, by meaning and words. Found messages are marked with "
        f"'>' and come with up to {AROUND} messages before and after them."
    )
    arguments = Arguments

    def __init__(self, memory: MemoryView, shown: Shown) -> None:
        self._memory = memory
        self._shown = shown

    async def __call__(self, arguments: Arguments, /) -> ToolResult:
        """Search messages."""
        found = await self._memory.search_messages(
            arguments.query, arguments.limit, AROUND, Period()
        )
        if not found:
            return ToolResult("Nothing is found.")
        return ToolResult("\n".join(self._shown.excerpt_lines(found)), ids_in(found))
