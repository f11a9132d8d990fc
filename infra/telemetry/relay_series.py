"""Series of the relay: what it wrote to its topic, and how often it had to stop."""

from typing import Final

from infra.telemetry.observers import PageWritten
from infra.telemetry.series import Series

_SECONDS: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 20)


class RelaySeries:
    """Fulfils ``RelayObserver``."""

    def __init__(self, series: Series) -> None:
        self._events = series.counter(
            "palimpsest_relay_events", "Events this process wrote to the topic"
        )
        self._bytes = series.counter(
            "palimpsest_relay_bytes", "Bytes of their values, before any compression"
        )
        self._damaged = series.counter(
            "palimpsest_relay_damaged_events",
            "Events that were to be opened and are damaged; written as they are stored",
        )
        self._pages = series.histogram(
            "palimpsest_relay_page_seconds",
            "How long brokers took for a page of events, all or nothing",
            buckets=_SECONDS,
        )
        self._failures = series.counter(
            "palimpsest_relay_failures",
            "How often the relay began anew, by what went wrong",
            "reason",
        )

    def written(self, page: PageWritten) -> None:
        """See ``RelayObserver``."""
        self._events.add(page.events)
        self._bytes.add(page.size)
        self._damaged.add(page.damaged)
        self._pages.observe(page.seconds)

    def failed(self, reason: str) -> None:
        """See ``RelayObserver``."""
        self._failures.add(1, reason)
