"""Cuts waiting messages into windows a model reads at once."""

from collections.abc import Iterator, Sequence
from typing import cast

from domain.recorded import Recorded
from domain.session import MessageAdded


def windows(
    said: Sequence[Recorded], tokens: int, most: int
) -> Iterator[Sequence[Recorded]]:
    """Yield runs of at most so many tokens and messages; one message is always in."""
    run: list[Recorded] = []
    weight = 0
    for each in said:
        message = cast("MessageAdded", each.event)
        if run and (weight + message.tokens > tokens or len(run) >= most):
            yield run
            run, weight = [], 0
        run.append(each)
        weight += message.tokens
    if run:
        yield run
