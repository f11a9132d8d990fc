"""Prometheus: what this process did since it started, and where everything stands.

Counters are told by the log, commit by commit as this process wrote it: what another
process wrote, it counts. Levels are read when somebody asks.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from time import perf_counter
from typing import Final

import asyncpg
from litestar.types import HTTPScope
from prometheus_client import generate_latest

from domain.event import tag_of
from infra.postgres.commit import Commit
from infra.telemetry.counted_events import EventCounts
from infra.telemetry.inflow_series import Inflow, InflowSeries
from infra.telemetry.levels import Levels
from infra.telemetry.observers import Answer, Fold, Folded
from infra.telemetry.relay_series import RelaySeries
from infra.telemetry.series import Series
from processors.processor import Batch, Outcome

_COMMIT_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
_COMMIT_EVENTS: Final = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000)


class Metrics:
    """All series of one server (RS 11.2, and our own under ``palimpsest_``)."""

    def __init__(self, namespace: str, most_workspaces: int) -> None:
        series = self.series = Series(namespace, most_workspaces)
        self._requests = series.counter(
            "api_requests", "Requests answered", "method", "endpoint", "status_code"
        )
        self._durations = series.histogram(
            "api_request_duration_seconds",
            "How long requests took",
            "method",
            "endpoint",
        )
        self._deliveries = series.counter(
            "palimpsest_deliveries",
            "What processors made of what they were handed",
            "consumer",
            "outcome",
        )
        self._delivery_seconds = series.histogram(
            "palimpsest_delivery_seconds", "How long processors took", "consumer"
        )
        self._folds = series.histogram(
            "palimpsest_fold_seconds",
            "How long views took to fold a batch",
            "group",
            buckets=_COMMIT_SECONDS,
        )
        self._begin_log(series)
        self._begin_events(series)
        self._counts = EventCounts(series)
        self._levels = Levels(series)
        self._inflow: InflowSeries | None = None

    def _begin_log(self, series: Series) -> None:
        self._commits = series.histogram(
            "palimpsest_log_commit_seconds",
            "How long the database took for a commit of the log",
            buckets=_COMMIT_SECONDS,
        )
        self._batches = series.histogram(
            "palimpsest_log_commit_events",
            "Events that shared a commit of the log",
            buckets=_COMMIT_EVENTS,
        )
        self._missed = series.counter(
            "palimpsest_topic_missing",
            "Events read from the log, for the topic did not bring them",
            "reason",
        )
        self._events = series.counter(
            "palimpsest_log_events", "Events this process wrote", "type"
        )

    def _begin_events(self, series: Series) -> None:
        self._told = {
            "emitted": series.counter(
                "telemetry_events_emitted", "CloudEvents sent", "type"
            ),
            "sampled_out": series.counter(
                "telemetry_events_sampled_out", "CloudEvents not sampled", "type"
            ),
            "dropped": series.counter(
                "telemetry_events_dropped", "CloudEvents lost", "reason"
            ),
        }
        for reason in ("buffer_full", "send_failed"):
            self._told["dropped"].add(0, reason)
        self._buffer = series.gauge("telemetry_buffer_size", "CloudEvents that wait")
        self.buffered: Callable[[], int] = int

    def committed(self, commit: Commit) -> None:
        """Count what a commit wrote."""
        self._commits.observe(commit.seconds)
        self._batches.observe(len(commit.recorded))
        for recorded in commit.recorded:
            self._events.add(1, tag_of(recorded.event))
            self._counts.count(recorded)

    def told(self, what: str, of: str, count: int) -> None:
        """Count CloudEvents ``emitted``, ``sampled_out`` or ``dropped``."""
        self._told[what].add(count, of)

    def missed(self, reason: str, count: int) -> None:
        """Count events that the topic did not bring."""
        self._missed.add(count, reason)

    def folds(self, group: str) -> Folded:
        """Return who times the folds of a group of views."""

        def folded(fold: Fold) -> None:
            self._folds.observe((fold.ended - fold.begun) / 1e9, group)

        return folded

    @property
    def requests(self) -> "RequestTimes":
        """Who counts and times requests."""
        return RequestTimes(self._answered)

    @property
    def deliveries(self) -> "DeliveryTimes":
        """Who counts and times deliveries."""
        return DeliveryTimes(self._delivered)

    def relay(self) -> RelaySeries:
        """Begin the series of a relay; ask once."""
        return RelaySeries(self.series)

    def fed_from(self, inflow: Inflow) -> None:
        """Bring the levels of a worker up to date that is fed from the topic."""
        if self._inflow is None:
            self._inflow = InflowSeries(self.series)
        self._inflow.set(inflow)

    async def exposition(
        self,
        database: asyncpg.Pool,
        pools: Mapping[str, asyncpg.Pool],
        fed: AbstractSet[str],
    ) -> bytes:
        """Return all series as text; levels nobody can read now are left out.

        ``fed`` are the processors that are fed here; others of the past are left out.
        """
        self._buffer.set(self.buffered())
        await self._levels.read(database, pools, fed)
        return generate_latest(self.series.registry)

    def _answered(self, answer: Answer) -> None:
        self._requests.add(1, answer.method, answer.endpoint, str(answer.status))
        self._durations.observe(answer.seconds, answer.method, answer.endpoint)

    def _delivered(
        self, processor: str, seconds: float, outcome: Outcome | None
    ) -> None:
        word = "broken_off" if outcome is None else type(outcome).__name__.lower()
        self._deliveries.add(1, processor, word)
        self._delivery_seconds.observe(seconds, processor)


class RequestTimes:
    """Fulfils ``RequestObserver``."""

    def __init__(self, answered: Callable[[Answer], None]) -> None:
        self._answered = answered

    def begin(self, scope: HTTPScope) -> Callable[[Answer], None]:  # noqa: ARG002  the answer says all
        """See ``RequestObserver``."""
        return self._answered


class DeliveryTimes:
    """Fulfils ``DeliveryObserver``."""

    def __init__(self, delivered: Callable[[str, float, Outcome | None], None]) -> None:
        self._delivered = delivered

    def begin(self, processor: str, batch: Batch) -> Callable[[Outcome | None], None]:  # noqa: ARG002  counted, not looked at
        """See ``DeliveryObserver``."""
        begun = perf_counter()

        def end(outcome: Outcome | None) -> None:
            self._delivered(processor, perf_counter() - begun, outcome)

        return end
