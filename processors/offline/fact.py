"""One conclusion about a peer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence that stands alone, and the ids of the messages it rests on."""

    content: str
    evidence: tuple[str, ...]
