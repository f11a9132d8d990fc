"""Cuts a batch into the runs that are handled by one command each."""

from collections.abc import Iterator, Sequence

from domain.recorded import Recorded

LONGEST_RUN = 100
"""Most events in one run: as many as one request may bring (RS 0)."""


def runs(
    events: Sequence[Recorded], longest: int = LONGEST_RUN
) -> Iterator[tuple[Recorded, ...]]:
    """Yield consecutive events of one story, so that what follows has one cause."""
    run: list[Recorded] = []
    for event in events:
        if run and (len(run) == longest or _story(event) != _story(run[0])):
            yield tuple(run)
            run = []
        run.append(event)
    if run:
        yield tuple(run)


def _story(event: Recorded) -> object:
    return event.cause.correlation_id
