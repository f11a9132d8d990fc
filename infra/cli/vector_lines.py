"""Collections of vectors as a person reads them: who serves, and what is filled."""

from collections.abc import Iterator, Sequence

from infra.vectors.progress import CollectionStanding, wanted_by


def vector_lines(found: Sequence[CollectionStanding], head: int) -> Iterator[str]:
    """Tell of a change under way; nothing where one collection serves, complete."""
    serving = next((each for each in found if each.state == "serving"), None)
    for each in found:
        if each.state != "filling":
            continue
        before = "nothing" if serving is None else _named(serving)
        yield (
            f"vectors: from {before} to {_named(each)}:"
            f" at position {each.position} of {head}{_pace(each)}{_asked(each)}"
        )


def _asked(each: CollectionStanding) -> str:
    told = wanted_by(each.wanted_by, each.wanted_at)
    return f"; wanted {told}, {set_in(each)} set to it"


def set_in(each: CollectionStanding) -> str:
    """Say how many processes a model is set in."""
    if each.set_in > 1:
        return f"{each.set_in} processes that run are"
    return "one process that runs is" if each.set_in else "no process that runs is"


def _pace(each: CollectionStanding) -> str:
    told = ""
    if each.rate is not None:
        told += f", {each.rate:.0f} events/s"
    if each.seconds_left is not None:
        told += f", about {each.seconds_left:.0f} s left"
    if each.waiting:
        told += f"; {each.waiting} keys wait, see palimpsest park list"
    return told


def _named(each: CollectionStanding) -> str:
    return f"{each.model} ({each.dimensions:,} dimensions)"
