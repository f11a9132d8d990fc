"""A partition of a topic, and a record in it, as consumers are handed them."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    part: int


class Record(Protocol):
    """What is at an offset of a partition; ``timestamp`` in ms since 1970."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


Records = Mapping[Place, Sequence[Record]]


class OutOfRange(Exception):  # noqa: N818  says what happened
    """These places have no record where they were read on; they are paused.

    ``places`` has the offset each stood at: retention took it, or the topic is another
    than it was. Whoever consumes seeks and resumes.
    """

    def __init__(self, places: Mapping[Place, int]) -> None:
        super().__init__(", ".join(f"{p.topic}/{p.part}" for p in places))
        self.places = places


class Fenced(Exception):  # noqa: N818  says what happened
    """Another process is the member of that name: an instance id is used twice."""


class Damaged(Exception):  # noqa: N818  says what was found
    """These places hold bytes that are no records; they are paused.

    ``places`` has the offset each stood at. Whoever consumes seeks beyond and resumes.
    """

    def __init__(self, places: Mapping[Place, int]) -> None:
        super().__init__(", ".join(f"{p.topic}/{p.part}" for p in places))
        self.places = places


def named_in(told: str, running: Collection[Place]) -> Collection[Place]:
    """Return the one a client's error names, or all: it may be any of them."""
    found = re.search(r"topic='([^']+)', partition=(\d+)", told)
    named = [Place(found[1], int(found[2]))] if found else []
    return [each for each in named if each in running] or running
