"""Tells the stories of a batch apart."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from domain.recorded import Recorded


def stories(events: Iterable[Recorded]) -> Iterator[list[Recorded]]:
    """Yield consecutive events of one story: what one request brought, in order."""
    for _, story in groupby(events, key=lambda each: each.cause.correlation_id):
        yield list(story)
