"""Keeps work from being harmed by what is told of it."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from commands.ports import Appended, AppendRequest
from infra.postgres.commit import Follows

Followed = tuple[AppendRequest, Callable[[Appended | None], None]]

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


class Unharmed:
    """Fulfils ``RequestObserver`` or ``DeliveryObserver`` with one that may raise."""

    def __init__(self, observer: Any) -> None:
        self._begin = unharmed(observer.begin, _nothing)

    def begin(self, *seen: Any) -> Callable[[Any], None]:
        """See either."""
        return unharmed(self._begin(*seen), None)


def unharmed_append(follows: Follows) -> Follows:
    """Return what follows appends; should it raise, they go on as they were asked."""
    told = unharmed(follows, None)

    def followed(request: AppendRequest) -> Followed:
        begun = told(request)
        if begun is None:
            return request, _nothing
        return begun[0], unharmed(begun[1], None)

    return followed


def _nothing(_: object) -> None:
    """Say nothing."""
