"""The tool that lists what was said in a period (RS 7.5)."""

from datetime import UTC, datetime, time
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from processors.tools.memory import MemoryView, Period
from processors.tools.shown import Shown
from processors.tools.tool import ToolError, ToolResult

Day = Annotated[
    str,
    Meta(
        max_length=40,
        description="A day (2026-11-22) or a time (2026-11-22T15:00:00Z), itself "
        "included; leave it out for no bound.",
    ),
]


class Arguments(msgspec.Struct, frozen=True):
    """See the tool."""

    after_date: Day = ""
    before_date: Day = ""
    limit: Annotated[int, Meta(ge=1, le=20, description="Most messages to return.")] = (
        20
    )
    order: Annotated[
        Literal["asc", "desc"], Meta(description="Oldest or newest first.")
    ] = "desc"


class GetMessagesByDateRange:
    """Lists the messages of a period, whatever they are about."""

    name = "get_messages_by_date_range"
    description = "List what was said in a period, whatever it was about."
    arguments = Arguments

    def __init__(self, memory: MemoryView, shown: Shown) -> None:
        self._memory = memory
        self._shown = shown

    async def __call__(self, arguments: Arguments, /) -> ToolResult:
        """List messages."""
        period = read_period(arguments.after_date, arguments.before_date)
        newest = arguments.order == "desc"
        found = await self._memory.list_messages(
            period, arguments.limit, newest_first=newest
        )
        if not found:
            return ToolResult("Nothing was said in that period.")
        lines = [self._shown.message_line(each) for each in found]
        return ToolResult("\n".join(lines), tuple(each.id for each in found))


def read_period(after: str, before: str) -> Period:
    """Read the bounds of a period; a day as a bound is in it, to its end.

    Raises:
        ToolError: one is no day and no time.
    """
    return Period(_moment(after, time.min), _moment(before, time.max))


def _moment(text: str, of_day: time) -> datetime | None:
    text = text.strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if len(text) <= len("2026-11-22"):
            moment = datetime.combine(moment, of_day)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        told = text[:40]
        raise ToolError(f"{told!r} is no day or time as in 2026-11-22.") from None
