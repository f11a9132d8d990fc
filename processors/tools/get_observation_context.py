"""The tool that shows what was said around a message (RS 7.5)."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from processors.tools.memory import MemoryView
from processors.tools.shown import Shown, ids_in
from processors.tools.tool import ToolResult

AROUND: Final = 1
"""Messages shown before and after each."""

Name = Annotated[str, Meta(min_length=1, max_length=100)]


class Arguments(msgspec.Struct, frozen=True):
    """See the tool."""

    message_ids: Annotated[
        tuple[Name, ...],
        Meta(
            min_length=1,
            max_length=20,
            description="Labels of messages (m3), or their ids.",
        ),
    ]


class GetObservationContext:
    """Shows messages with their neighbours in the same session."""

    name = "get_observation_context"
    description = (
        "Show messages, such as those a conclusion rests on, with the message before "
        "and after each in its session."
    )
    arguments = Arguments

    def __init__(self, memory: MemoryView, shown: Shown) -> None:
        self._memory = memory
        self._shown = shown

    async def __call__(self, arguments: Arguments, /) -> ToolResult:
        """Show messages by name."""
        ids = [self._shown.id_of(each) for each in arguments.message_ids]
        found = await self._memory.show_messages(ids, AROUND)
        if not found:
            return ToolResult("There are no such messages.")
        return ToolResult("\n".join(self._shown.excerpt_lines(found)), ids_in(found))
