"""The tool that records that conclusions cannot all hold (RS 2.3, 6.3)."""

from typing import Annotated, Any

import msgspec

from processors.dream_run import DreamRun
from processors.tools.infer import MOST_ITEMS, Content, Inferred, Several, record_items
from processors.tools.items import listed, read_items
from processors.tools.tool import ToolResult


class Contradiction(msgspec.Struct, frozen=True):
    """What cannot hold together, and the conclusions that say it."""

    content: Content
    source_ids: Several


class Arguments(msgspec.Struct, frozen=True):
    """See the tool."""

    observations: Annotated[
        tuple[Any, ...],
        listed(Contradiction, MOST_ITEMS, "Contradictions, one by one."),
    ]


class CreateObservationsContradiction:
    """Records contradictions: each is open while all that contradict hold."""

    name = "create_observations_contradiction"
    description = (
        "Record that at least two conclusions that were shown cannot both hold, where "
        "nothing tells which is right or that one came after the other."
    )
    arguments = Arguments

    def __init__(self, run: DreamRun) -> None:
        self._run = run

    async def __call__(self, arguments: Arguments, /) -> ToolResult:
        """Record contradictions."""
        items = [
            each
            if isinstance(each, str)
            else Inferred(content=each.content, sources=each.source_ids)
            for each in read_items(arguments.observations, Contradiction)
        ]
        return await record_items(self._run, self.name, "contradiction", items)
