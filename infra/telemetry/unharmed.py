"""Keeps work from being harmed by what is told of it."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_LOG: Final = logging.getLogger("palimpsest.telemetry")


def unharmed(tell: Callable[P, T], otherwise: T) -> Callable[P, T]:
    """Return ``tell``; should it raise, that is said once, and ``otherwise`` given."""
    said = False

    @wraps(tell)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        nonlocal said
        try:
            return tell(*args, **kwargs)
        except Exception:  # noqa: BLE001  nobody's work may end by what is told of it
            if not said:
                said = True
                _LOG.warning("something is not told", exc_info=True)
            return otherwise

    return told
