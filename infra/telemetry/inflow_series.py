"""Levels of what a worker is fed from the topic, read when somebody asks."""

from collections.abc import Mapping
from typing import Protocol

from infra.telemetry.series import Series


class Letters(Protocol):
    """Dead letters of a worker."""

    dropped: int


class Inflow(Protocol):
    """What a worker has of the topic, and how far it is behind."""

    @property
    def places(self) -> int: ...

    @property
    def paused(self) -> int: ...

    @property
    def rebalances(self) -> int: ...

    @property
    def letters(self) -> Letters: ...

    def lags(self) -> Mapping[tuple[str, int], int]:
        """Return positions behind the topic, by processor and partition."""
        ...


class InflowSeries:
    """The series of one worker."""

    def __init__(self, series: Series) -> None:
        self._places = series.gauge(
            "palimpsest_feed_partitions", "Partitions this worker has"
        )
        self._paused = series.gauge(
            "palimpsest_feed_paused_partitions",
            "Partitions that stand still because no processor keeps up",
        )
        self._rebalances = series.gauge(
            "palimpsest_feed_rebalances",
            "How often the group gave to this worker or took from it since it started",
        )
        self._dropped = series.gauge(
            "palimpsest_feed_dropped_letters",
            "Dead letters this worker dropped since it started: too many waited",
        )
        self._lag = series.gauge(
            "palimpsest_feed_lag_positions",
            "Positions of the topic not done yet, in partitions this worker has",
            "consumer",
            "partition",
        )

    def set(self, inflow: Inflow) -> None:
        """Bring them up to date."""
        self._places.set(inflow.places)
        self._paused.set(inflow.paused)
        self._rebalances.set(inflow.rebalances)
        self._dropped.set(inflow.letters.dropped)
        self._lag.clear()
        for (consumer, part), lag in inflow.lags().items():
            self._lag.set(lag, consumer, str(part))
