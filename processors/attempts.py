"""Attempts that came to nothing: how many, called what, how long to wait."""

from datetime import timedelta
from typing import Final

import msgspec

from domain.derivation import Derivation, Range
from processors.language_model import (
    BudgetExhausted,
    Malformed,
    ModelRefused,
    Unavailable,
)

ASKED: Final = 3
"""Answers of no use after which a window is passed over."""

REFUSALS: Final = 5
"""Refusals of a model after which somebody has to look."""

_FIRST_WAIT: Final = timedelta(seconds=1)
_LONGEST_WAIT: Final = timedelta(hours=1)
_LONGEST_OUTAGE: Final = timedelta(minutes=5)
"""So long is waited at most for somebody who does not answer at all."""


class Tries(msgspec.Struct, frozen=True):
    """How often it was tried; those before somebody redrove it are ``forgiven``."""

    failures: int
    unusable: int
    forgiven: int = 0


def tries_of(state: Derivation, again: Range | None) -> Tries:
    """Return the attempts on what comes next, or on a range of its own."""
    if again is not None:
        return Tries(again.failures, again.unusable)
    return Tries(state.failures, state.unusable, state.forgiven)


def word_of(failure: Unavailable | ModelRefused) -> str:
    """Name a failure for the record, never with content."""
    match failure:
        case ModelRefused(reason=reason):
            return f"refused: {reason}"
        case Malformed():
            return "malformed"
        case BudgetExhausted():
            return "budget-exhausted"
        case _:
            return "unavailable"


def patience(failure: Unavailable | ModelRefused, tries: Tries) -> timedelta:
    """Return how long to wait for the next attempt: twice as long after each."""
    doubled: timedelta = _FIRST_WAIT * 2 ** min(tries.failures - tries.forgiven, 16)
    if isinstance(failure, ModelRefused | Malformed):
        return min(doubled, _LONGEST_WAIT)
    wanted = timedelta(seconds=failure.retry_after or 0)
    return max(min(doubled, _LONGEST_OUTAGE), min(wanted, _LONGEST_WAIT))


def may_be_mended(failure: Unavailable | ModelRefused) -> bool:
    """Tell whether somebody is away, or a setting wrong, rather than what was said."""
    if isinstance(failure, ModelRefused):
        return not failure.withheld
    return not isinstance(failure, Malformed)
