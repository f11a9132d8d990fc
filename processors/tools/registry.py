"""Which read tools there are, and which of them chat is given (RS 7.2, 7.5)."""

from collections.abc import Callable
from typing import Final

from processors.tools.get_messages_by_date_range import GetMessagesByDateRange
from processors.tools.get_observation_context import GetObservationContext
from processors.tools.get_reasoning_chain import GetReasoningChain
from processors.tools.get_recent_observations import GetRecentObservations
from processors.tools.grep_messages import GrepMessages
from processors.tools.memory import MemoryView
from processors.tools.search_memory import SearchMemory
from processors.tools.search_messages import SearchMessages
from processors.tools.search_messages_temporal import SearchMessagesTemporal
from processors.tools.shown import Shown
from processors.tools.tool import Tool

Make = Callable[[MemoryView, Shown, str | None], Tool]

READ_TOOLS: Final[dict[str, Make]] = {
    "search_memory": SearchMemory,
    "search_messages": lambda memory, shown, _: SearchMessages(memory, shown),
    "get_observation_context": lambda memory, shown, _: GetObservationContext(
        memory, shown
    ),
    "grep_messages": lambda memory, shown, _: GrepMessages(memory, shown),
    "get_messages_by_date_range": lambda memory, shown, _: GetMessagesByDateRange(
        memory, shown
    ),
    "search_messages_temporal": lambda memory, shown, _: SearchMessagesTemporal(
        memory, shown
    ),
    "get_reasoning_chain": GetReasoningChain,
    "get_recent_observations": GetRecentObservations,
}
"""Makes each tool of memory, whom it is about, and what keeps its labels."""

OF_CHAT: Final = tuple(name for name in READ_TOOLS if name != "get_recent_observations")
"""What chat may use; the first two only at the level ``minimal``."""

AT_LEAST: Final = 2


def chat_tools(
    level: str, memory: MemoryView, shown: Shown, observed: str | None
) -> tuple[Tool, ...]:
    """Make the tools of a chat at this level."""
    names = OF_CHAT[:AT_LEAST] if level == "minimal" else OF_CHAT
    return tuple(READ_TOOLS[name](memory, shown, observed) for name in names)
