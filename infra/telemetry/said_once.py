"""A line of trouble is said once a minute, however often what fails is tried."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Final, NamedTuple

from infra.telemetry.under_way import under_way

QUIET: Final = 60.0
"""Seconds in which a line that was said is not said again."""

NEWS: Final = {"is_news": True}
"""``extra`` of a line that tells a change, away or back: always said."""

_MOST: Final = 1_000
"""Lines remembered; the one said longest ago is forgotten first."""


class _Said(NamedTuple):
    at: float
    more: int


class SaidOnce(logging.Filter):
    """Passes a warning or error that is new, or was last said a minute ago.

    What is tried every second says the same each time: in an outage each worker would
    say ten lines a second. How many were left out is told with the next that is said,
    as ``repeated``. Lines of other words, or about something else, are lines of their
    own; one that is ``NEWS`` or brings an exception is always said.
    """

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._now = now
        # Threads of clients say something, too; a signal may come meanwhile.
        self._lock = threading.RLock()
        self._said: OrderedDict[tuple[object, ...], _Said] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        is_news = record.exc_info or getattr(record, "is_news", False)
        if record.levelno < logging.WARNING or is_news:
            return True
        about = {**under_way(), **getattr(record, "about", {})}
        try:
            line = (record.name, record.getMessage(), str(about))
        except (TypeError, ValueError, LookupError):  # the handler's to tell, not ours
            return True
        with self._lock:
            return self._is_due(record, line)

    def _is_due(self, record: logging.LogRecord, line: tuple[str, str, str]) -> bool:
        now, last = self._now(), self._said.get(line)
        if last is not None and now < last.at + QUIET:
            self._said[line] = last._replace(more=last.more + 1)
            return False
        if last is not None and last.more:
            record.about = getattr(record, "about", {}) | {"repeated": last.more}
        self._said[line] = _Said(now, 0)
        self._said.move_to_end(line)
        if len(self._said) > _MOST:
            self._said.popitem(last=False)
        return True
