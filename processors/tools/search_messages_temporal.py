"""The tool that finds what was said in a period (RS 7.5)."""

from typing import Annotated

import msgspec
from msgspec import Meta

from processors.tools.get_messages_by_date_range import Day, read_period
from processors.tools.memory import MemoryView
from processors.tools.search_memory import Query
from processors.tools.search_messages import AROUND
from processors.tools.shown import Shown, ids_in
from processors.tools.tool import ToolResult


class Arguments(msgspec.Struct, frozen=True):
    """See the tool."""

    query: Query
    after_date: Day = ""
    before_date: Day = ""
    limit: Annotated[int, Meta(ge=1, le=10, description="Most messages to find.")] = 10
    context_window: Annotated[
        int, Meta(ge=0, le=AROUND, description="Messages before and after each.")
    ] = AROUND


class SearchMessagesTemporal:
    """Finds messages of a period by words and meaning."""

    name = "search_messages_temporal"
    description = (
        "Search what was said in a period, by meaning and words: for what changed "
        "over time, or was said before or after a day."
    )
    arguments = Arguments

    def __init__(self, memory: MemoryView, shown: Shown) -> None:
        self._memory = memory
        self._shown = shown

    async def __call__(self, arguments: Arguments, /) -> ToolResult:
        """Search messages of a period."""
        period = read_period(arguments.after_date, arguments.before_date)
        found = await self._memory.search_messages(
            arguments.query, arguments.limit, arguments.context_window, period
        )
        if not found:
            return ToolResult("Nothing is found in that period.")
        return ToolResult("\n".join(self._shown.excerpt_lines(found)), ids_in(found))
