"""What a conclusion needs to stand: how much of what it rests on (RS 2.3)."""

from domain.conclusion import Level

LEAST_SOURCES = 2
"""Fewest conclusions a pattern may rest on (RS 2.3)."""


def still_stands(level: Level, sources: int, left: int) -> bool:
    """Tell whether a conclusion stands with ``left`` of its ``sources``.

    What was said stands on the words alone. A pattern needs two; one that had fewer
    from the beginning needs all it had. What follows from others, or contradicts
    them, needs all of them.
    """
    match level:
        case "explicit":
            return True
        case "inductive":
            return left >= min(LEAST_SOURCES, sources)
        case _:
            return left == sources
