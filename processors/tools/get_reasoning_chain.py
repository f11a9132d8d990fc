"""The tool that shows what a conclusion was built on, and what on it (RS 7.5, 14.7)."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from processors.tools.memory import Link, MemoryView
from processors.tools.shown import Shown, ids_in
from processors.tools.tool import ToolError, ToolResult


class Arguments(msgspec.Struct, frozen=True):
    """See the tool."""

    observation_id: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=100,
            description="Label of a conclusion (c3), or its id.",
        ),
    ]
    direction: Annotated[
        Literal["premises", "conclusions", "both"],
        Meta(description="What it was built on, what was built on it, or both."),
    ] = "both"


class GetReasoningChain:
    """Walks several steps, over all levels, and ends with the words at the bottom."""

    name = "get_reasoning_chain"
    description = (
        "Show what a conclusion was built on, step by step down to what was said, and "
        "what was built on it, contradictions included: to verify what was derived."
    )
    arguments = Arguments

    def __init__(
        self, memory: MemoryView, shown: Shown, observed: str | None = None
    ) -> None:
        self._memory = memory
        self._shown = shown
        self._observed = observed

    async def __call__(self, arguments: Arguments, /) -> ToolResult:
        """Walk the chain."""
        chain = await self._memory.find_chain(
            self._shown.id_of(arguments.observation_id),
            premises=arguments.direction != "conclusions",
            consequences=arguments.direction != "premises",
        )
        if chain is None:
            raise ToolError("There is no such conclusion.")
        own = chain.conclusion
        lines = [f"({own.level}) {self._line(Link(own, 0))}"]
        lines += self._section("It was built on:", chain.premises)
        lines += self._section("Built on it:", chain.consequences)
        links = (*chain.premises, *chain.consequences)
        ids = [own.id, *(each.conclusion.id for each in links)]
        below = (own, *(each.conclusion for each in chain.premises))
        said = await self._memory.show_messages(
            list(dict.fromkeys(m for each in below for m in each.evidence)), 0
        )
        if said and arguments.direction != "conclusions":
            lines += ["What was said:", *self._shown.excerpt_lines(said)]
            ids += ids_in(said)
        if not chain.whole:
            lines.append("There is more than is shown.")
        return ToolResult("\n".join(lines), tuple(dict.fromkeys(ids)))

    def _section(self, head: str, links: Sequence[Link]) -> list[str]:
        if not links:
            return []
        lines = (
            f"{'  ' * (each.steps - 1)}({each.conclusion.level}) {self._line(each)}"
            for each in links
        )
        return [head, *lines]

    def _line(self, link: Link) -> str:
        return self._shown.conclusion_line(link.conclusion, of=self._observed)
