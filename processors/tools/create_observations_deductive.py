"""The tool that records what follows from other conclusions (RS 2.3, 6.3)."""

from typing import Annotated, Any

import msgspec

from processors.dream_run import DreamRun
from processors.tools.infer import MOST_ITEMS, Content, Inferred, Sources, record_items
from processors.tools.items import listed, read_items
from processors.tools.tool import ToolResult


class Deduction(msgspec.Struct, frozen=True):
    """One conclusion, and those it follows from."""

    content: Content
    source_ids: Sources


class Arguments(msgspec.Struct, frozen=True):
    """See the tool."""

    observations: Annotated[
        tuple[Any, ...], listed(Deduction, MOST_ITEMS, "What follows, one by one.")
    ]


class CreateObservationsDeductive:
    """Records deductions: each falls with any of the conclusions it follows from."""

    name = "create_observations_deductive"
    description = (
        "Record what necessarily follows from conclusions that were shown, also that "
        "a value has changed: then the new state, resting on what tells of the change."
    )
    arguments = Arguments

    def __init__(self, run: DreamRun) -> None:
        self._run = run

    async def __call__(self, arguments: Arguments, /) -> ToolResult:
        """Record deductions."""
        items = [
            each
            if isinstance(each, str)
            else Inferred(content=each.content, sources=each.source_ids)
            for each in read_items(arguments.observations, Deduction)
        ]
        return await record_items(self._run, self.name, "deductive", items)
