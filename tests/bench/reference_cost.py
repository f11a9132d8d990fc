"""What the reference would ask a model for a conversation, by its numbers (RS 0, 1.5).

A count, not a run: its work unit is (session, observed), each with a window of its own
over the interleaved session, and its summaries are short at every 20th message and long
at every 60th (RS 4.1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

GATE = 512
"""Tokens that wait in a work unit before it is worked on."""

WINDOW = 1_024
SHORT, LONG = 20, 60
SHORT_TOKENS, LONG_TOKENS = 1_000, 4_000


@dataclass(frozen=True)
class Line:
    """One message as a prompt shows it: its author, and the tokens of its line."""

    author: str
    tokens: int


@dataclass
class Cost:
    """Calls, and the tokens of messages in them, without what is said around."""

    derivations: int = 0
    derived_tokens: int = 0
    summaries: int = 0
    summary_tokens: int = 0

    def __iadd__(self, other: "Cost") -> Self:
        self.derivations += other.derivations
        self.derived_tokens += other.derived_tokens
        self.summaries += other.summaries
        self.summary_tokens += other.summary_tokens
        return self


def session_cost(lines: Sequence[Line], at_once: int) -> Cost:
    """Count a session whose messages come ``at_once`` at a time, flushed at the end."""
    cost = Cost()
    waiting: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        waiting.setdefault(line.author, []).append(number)
        came = number + 1
        if came % at_once and came < len(lines):
            continue
        for numbers in waiting.values():
            heavy = sum(lines[n].tokens for n in numbers) >= GATE
            if numbers and (heavy or came == len(lines)):
                cost += _drained(lines[:came], numbers)
                numbers.clear()
    _sum_up(lines, cost)
    return cost


def _drained(lines: Sequence[Line], numbers: Sequence[int]) -> Cost:
    """Work a unit off, window by window (RS 1.5)."""
    cost, left = Cost(), list(numbers)
    while left:
        first = left[0]
        before = first and lines[first - 1].author != lines[first].author
        start = first - 1 if before else first
        tokens, last = 0, start
        for n in range(start, len(lines)):
            if n > first and tokens + lines[n].tokens > WINDOW:
                break
            tokens, last = tokens + lines[n].tokens, n
        batch = [n for n in left if n <= last]
        cost.derivations += 1
        cost.derived_tokens += sum(lines[n].tokens for n in range(start, batch[-1] + 1))
        left = left[len(batch) :]
    return cost


def _sum_up(lines: Sequence[Line], cost: Cost) -> None:
    for every, most in ((SHORT, SHORT_TOKENS), (LONG, LONG_TOKENS)):
        for end in range(every, len(lines) + 1, every):
            given = sum(line.tokens for line in lines[end - every : end])
            cost.summaries += 1
            cost.summary_tokens += given + (most if end > every else 0)
