"""The tool that finds what was said word for word (RS 7.5)."""

from typing import Annotated

import msgspec
from msgspec import Meta

from processors.tools.memory import MemoryView
from processors.tools.search_messages import AROUND
from processors.tools.shown import Shown, ids_in
from processors.tools.tool import ToolResult


class Arguments(msgspec.Struct, frozen=True):
    """See the tool."""

    text: Annotated[
        str,
        Meta(min_length=1, max_length=1_000, description="What a message contains."),
    ]
    limit: Annotated[int, Meta(ge=1, le=30, description="Most messages to find.")] = 10
    context_window: Annotated[
        int, Meta(ge=0, le=AROUND, description="Messages before and after each.")
    ] = AROUND


class GrepMessages:
    """Finds messages that contain a text, letter for letter but for case."""

    name = "grep_messages"
    description = (
        "Find messages that contain a text exactly, in any case, the newest first: for "
        "names, numbers, units and quoted words."
    )
    arguments = Arguments

    def __init__(self, memory: MemoryView, shown: Shown) -> None:
        self._memory = memory
        self._shown = shown

    async def __call__(self, arguments: Arguments, /) -> ToolResult:
        """Find messages by a text in them."""
        found = await self._memory.grep_messages(
            arguments.text, arguments.limit, arguments.context_window
        )
        if not found:
            return ToolResult("No message contains that.")
        return ToolResult("\n".join(self._shown.excerpt_lines(found)), ids_in(found))
