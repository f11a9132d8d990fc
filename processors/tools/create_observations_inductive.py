"""The tool that records a pattern over several conclusions (RS 2.3, 6.3)."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from processors.dream_run import DreamRun
from processors.tools.infer import MOST_ITEMS, Content, Inferred, Several, record_items
from processors.tools.items import listed, read_items
from processors.tools.tool import ToolResult


class Pattern(msgspec.Struct, frozen=True):
    """One pattern, and what shows it."""

    content: Content
    source_ids: Several
    pattern_type: Literal[
        "preference", "behavior", "personality", "tendency", "correlation"
    ]
    confidence: Annotated[
        Literal["high", "medium", "low"],
        Meta(description="high: five sources or more; medium: three; low: two."),
    ] = "medium"


class Arguments(msgspec.Struct, frozen=True):
    """See the tool."""

    observations: Annotated[
        tuple[Any, ...], listed(Pattern, MOST_ITEMS, "Patterns, one by one.")
    ]


class CreateObservationsInductive:
    """Records patterns: each stands while two of the conclusions that show it do."""

    name = "create_observations_inductive"
    description = (
        "Record a pattern that at least two conclusions that were shown have in "
        "common: a preference, a way of acting, a trait, a tendency, or that two "
        "things go together."
    )
    arguments = Arguments

    def __init__(self, run: DreamRun) -> None:
        self._run = run

    async def __call__(self, arguments: Arguments, /) -> ToolResult:
        """Record patterns."""
        items = [
            each
            if isinstance(each, str)
            else Inferred(
                content=each.content,
                sources=each.source_ids,
                pattern=each.pattern_type,
                confidence=each.confidence,
            )
            for each in read_items(arguments.observations, Pattern)
        ]
        return await record_items(self._run, self.name, "inductive", items)
