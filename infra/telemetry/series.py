"""Series of Prometheus in a registry of our own; each carries the label namespace."""

from collections.abc import Sequence
from typing import Any, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

OTHER: Final = "(other)"
"""The workspace of all that are not told apart."""

BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 0.75, 1, 2, 5, 10, 20, 30, 60, 120)
"""Upper bounds in seconds (RS 11.2)."""


class Series:
    """Makes series; ``namespace`` is the first label of each.

    A registry of our own holds what is made, so that two servers in one process never
    count together.
    """

    def __init__(self, namespace: str, most_workspaces: int) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a third of the lines
        self.registry = CollectorRegistry(auto_describe=False)
        self.namespace = namespace
        self._most = most_workspaces
        self._workspaces: set[str] = set()

    def counter(self, name: str, meaning: str, *labels: str) -> "Counts":
        """Make a counter; it is exposed as ``{name}_total``."""
        names = ("namespace", *labels)
        return Counts(
            Counter(name, meaning, names, registry=self.registry), self.namespace
        )

    def histogram(
        self, name: str, meaning: str, *labels: str, buckets: Sequence[float] = BUCKETS
    ) -> "Spreads":
        """Make a histogram."""
        names = ("namespace", *labels)
        made = Histogram(name, meaning, names, registry=self.registry, buckets=buckets)
        return Spreads(made, self.namespace)

    def gauge(self, name: str, meaning: str, *labels: str) -> "Levels":
        """Make a gauge."""
        names = ("namespace", *labels)
        return Levels(Gauge(name, meaning, names, registry=self.registry), self)

    def workspace(self, name: str) -> str:
        """Return the name to count a workspace by: the first that come have theirs."""
        if name not in self._workspaces:
            if len(self._workspaces) >= self._most:
                return OTHER
            self._workspaces.add(name)
        return name


class Counts:
    """A counter, by its labels in order."""

    def __init__(self, counter: Counter, namespace: str) -> None:
        self._counter = counter
        self._namespace = namespace
        self._known: dict[tuple[str, ...], Any] = {}

    def add(self, amount: float, *labels: str) -> None:
        """Count more; 0 makes the series begin."""
        found = self._known.get(labels)
        if found is None:
            found = self._counter.labels(self._namespace, *labels)
            self._known[labels] = found
        found.inc(amount)


class Spreads:
    """A histogram, by its labels in order."""

    def __init__(self, histogram: Histogram, namespace: str) -> None:
        self._histogram = histogram
        self._namespace = namespace
        self._known: dict[tuple[str, ...], Any] = {}

    def observe(self, value: float, *labels: str) -> None:
        """Count a value."""
        found = self._known.get(labels)
        if found is None:
            found = self._histogram.labels(self._namespace, *labels)
            self._known[labels] = found
        found.observe(value)


class Levels:
    """A gauge, by its labels in order."""

    def __init__(self, gauge: Gauge, series: Series) -> None:
        self._gauge = gauge
        self._namespace = series.namespace

    def set(self, value: float, *labels: str) -> None:
        self._gauge.labels(self._namespace, *labels).set(value)

    def clear(self) -> None:
        """Forget all values: what is not set again is not known."""
        self._gauge.clear()
