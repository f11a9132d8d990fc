"""What held at a position, in tables of position intervals."""

from domain.moment import NOW
from projections.condition import Bind, Condition

__all__ = ["NOW", "holding", "recorded_by"]


def holding(as_of: int, alias: str = "") -> Condition:
    """Hold for what held at a position, of a table of intervals so aliased.

    As it stands now is what has not ended: the indexes of what stands hold that only.
    """
    of = f"{alias}." if alias else ""

    def write(bind: Bind) -> str:
        if as_of == NOW:
            return f"{of}to_position IS NULL"
        at = bind(as_of)
        return (
            f"{of}from_position <= {at}"
            f" AND ({of}to_position IS NULL OR {of}to_position > {at})"
        )

    return write


def recorded_by(as_of: int, column: str) -> Condition:
    """Hold for what was recorded at a position or before; ``column`` says where."""
    return lambda bind: "TRUE" if as_of == NOW else f"{column} <= {bind(as_of)}"
