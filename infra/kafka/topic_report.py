"""What a topic was found to be, held against the log."""

from bisect import bisect_right
from collections import Counter
from typing import Final, Literal

import msgspec

Wrong = Literal[
    "missing", "duplicated", "disordered", "misplaced", "changed", "unknown", "foreign"
]
"""Not there; there twice; after a later one of its partition; in another partition;
with other bytes; of a position the log has not got; none that a relay wrote."""

EXAMPLES: Final = 10
"""Findings of a kind that are told; all are counted."""

_RUNS: Final = 100_000
"""Most runs of missing positions that are remembered."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is wrong; ``parts`` are what changed of a record."""

    wrong: Wrong
    position: int | None = None
    partition: int | None = None
    offset: int | None = None
    parts: tuple[str, ...] = ()


class TopicReport(msgspec.Struct, frozen=True, kw_only=True):
    """One generation: how much was compared, and what is wrong.

    Everything up to ``through`` had to be there; later records were compared as far
    as there were any. ``trimmed`` were before the first record that is left of their
    partition: retention took them. ``unopened`` are clear values whose keys are not
    at hand, so that only the rest was compared.
    """

    generation: int
    topic: str
    state: str
    partitions: int
    through: int
    compared: int
    trimmed: int
    unopened: int
    wrong: dict[Wrong, int]
    examples: list[Finding]
    seconds: float

    @property
    def ok(self) -> bool:
        return not self.wrong


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All generations; ``behind`` events of the log the relay has not written yet."""

    head: int
    behind: int
    ok: bool
    topics: list[TopicReport]


class Findings:
    """Counts what is wrong, with examples; missing positions as runs."""

    def __init__(self) -> None:
        self.wrong: Counter[Wrong] = Counter()
        self.examples: list[Finding] = []
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, finding: Finding) -> None:
        self.wrong[finding.wrong] += 1
        if self.wrong[finding.wrong] <= EXAMPLES:
            self.examples.append(finding)

    def miss(self, position: int, partition: int) -> None:
        """Take note that a position did not come; they are told in their order."""
        self.add(Finding(wrong="missing", position=position, partition=partition))
        if self._ends and self._ends[-1] == position - 1:
            self._ends[-1] = position
        elif len(self._ends) < _RUNS:
            self._starts.append(position)
            self._ends.append(position)

    def was_missed(self, position: int) -> bool:
        """Tell whether a record that comes late was thought to be missing."""
        run = bisect_right(self._starts, position) - 1
        if run < 0 or position > self._ends[run]:
            return False
        end, self._ends[run] = self._ends[run], position - 1
        if end > position:
            self._starts.insert(run + 1, position + 1)
            self._ends.insert(run + 1, end)
        self.wrong -= Counter({"missing": 1})
        self.examples = [
            each
            for each in self.examples
            if (each.wrong, each.position) != ("missing", position)
        ]
        return True
