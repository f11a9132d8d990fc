"""What observers of a server are told: requests, commits, folds and deliveries.

All of it is told in the middle of work: at once, and without raising.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec
from litestar.types import HTTPScope

from domain.recorded import Recorded
from processors.processor import Batch, Outcome

UNTOLD: Final = frozenset({"/health", "/metrics", "/openapi.json", "/docs", "/redoc"})
"""Paths of probes and pages, whose requests are counted and no more."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request; ``status`` is 499 where the client left unanswered.

    ``endpoint`` is the template of the path, never the path; ``seconds`` last until
    all of it was sent.
    """

    method: str
    endpoint: str
    status: int
    seconds: float


class RequestObserver(Protocol):
    """Is told of requests."""

    def begin(self, scope: HTTPScope) -> Callable[[Answer], None]:
        """Look at a request before anybody reads it; the answer is told at the end."""
        ...


class DeliveryObserver(Protocol):
    """Is told of what processors are handed."""

    def begin(self, processor: str, batch: Batch) -> Callable[[Outcome | None], None]:
        """Look at a delivery; its outcome is told at the end, None if broken off.

        Both are called in the delivery's own task and context.
        """
        ...


class Fold(msgspec.Struct, frozen=True):
    """Events a group of views has folded and committed; times as ``time.time_ns``."""

    batch: Sequence[Recorded]
    begun: int
    ended: int


Folded = Callable[[Fold], None]
"""Is told of the folds of one group."""


class PageWritten(msgspec.Struct, frozen=True):
    """A page of the log the relay wrote to its topic, and how long that took.

    ``damaged`` events were to be opened and could not be.
    """

    events: int
    size: int
    seconds: float
    damaged: int = 0


class RelayObserver(Protocol):
    """Is told of what the relay does."""

    def written(self, page: PageWritten) -> None:
        """Learn of a page that is in the topic."""
        ...

    def failed(self, reason: str) -> None:
        """Learn that it broke off and tries again; an error's type."""
        ...


class Unobserved:
    """Fulfils ``RelayObserver`` where metrics are off."""

    def written(self, page: PageWritten) -> None:
        """See ``RelayObserver``."""

    def failed(self, reason: str) -> None:
        """See ``RelayObserver``."""
