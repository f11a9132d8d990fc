"""The tool that lists what was concluded last (RS 7.5)."""

from typing import Annotated

import msgspec
from msgspec import Meta

from processors.tools.memory import MemoryView
from processors.tools.shown import Shown
from processors.tools.tool import ToolResult


class Arguments(msgspec.Struct, frozen=True):
    """See the tool."""

    limit: Annotated[
        int, Meta(ge=1, le=100, description="Most conclusions to return.")
    ] = 10
    session_only: Annotated[
        bool, Meta(description="Only those of the session at hand.")
    ] = False


class GetRecentObservations:
    """Lists the newest conclusions, whatever they are about."""

    name = "get_recent_observations"
    description = "List what has been concluded last, the newest first."
    arguments = Arguments

    def __init__(
        self, memory: MemoryView, shown: Shown, observed: str | None = None
    ) -> None:
        self._memory = memory
        self._shown = shown
        self._observed = observed

    async def __call__(self, arguments: Arguments, /) -> ToolResult:
        """List conclusions."""
        found = await self._memory.recent_conclusions(
            arguments.limit, here=arguments.session_only
        )
        if not found:
            return ToolResult("Nothing has been concluded yet.")
        lines = self._shown.conclusion_lines(found, of=self._observed)
        return ToolResult("\n".join(lines), tuple(each.id for each in found))
