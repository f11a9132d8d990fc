"""All telemetry of a server, as settings want it; what is off costs nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
from litestar.types import ASGIApp

from infra.embedder.serving import Unreachable
from infra.embedder.source import VectorSource
from infra.llm.find_model import FindModel
from infra.postgres.log import PostgresLog
from infra.settings import Settings
from infra.telemetry.doors import Doors, RequestLines
from infra.telemetry.observers import (
    DeliveryObserver,
    Folded,
    RelayObserver,
    RequestObserver,
    Unobserved,
)
from infra.telemetry.unharmed import Unharmed, unharmed, unharmed_append
from processors.sending import WebhookSender

if TYPE_CHECKING:
    from infra.kafka.inflow import Inflow
    from infra.telemetry.emitter import Emitter
    from infra.telemetry.metrics import Metrics
    from infra.telemetry.traces import Traces

Exposition = Callable[[], Awaitable[bytes]]
"""Gives all series as text."""


class Telemetry:
    """What is told of a server, and how its parts are told to tell it."""

    def __init__(self) -> None:
        self.requests: list[RequestObserver] = []
        self.deliveries: list[DeliveryObserver] = []
        self.pools: dict[str, asyncpg.Pool] = {}
        self.fed: set[str] = set()
        self.inflow: Inflow | None = None
        self.troubles: list[Callable[[], dict[str, Any]]] = []
        self.metrics: Metrics | None = None
        self.traces: Traces | None = None
        self.emitter: Emitter | None = None

    def detail(self) -> dict[str, Any]:
        """Return what parts of this process cannot do for now, for ``/health``."""
        told: dict[str, Any] = {}
        for each in self.troubles:
            told |= each()
        return told

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return the application with its requests named and observed."""
        return Doors(app, self.requests)

    def follow(self, log: PostgresLog) -> None:
        """Be told of what is written to a log."""
        self.pools |= log.pools
        if self.metrics is not None:
            log.tell(unharmed(self.metrics.committed, None))
        if self.emitter is not None:
            log.tell(unharmed(self.emitter.committed, None))
        if self.traces is not None:
            log.follow_appends(unharmed_append(self.traces.appending))

    def folds(self, group: str) -> Sequence[Folded]:
        """Return who is told of the folds of a group of views."""
        those = [each for each in (self.metrics, self.traces) if each is not None]
        return [unharmed(each.folds(group), None) for each in those]

    def models(self, models: FindModel) -> FindModel:
        """Return the same models, their calls traced if traces are on."""
        if self.traces is None:
            return models
        from infra.telemetry.traced_calls import TracedModels  # noqa: PLC0415  heavy

        return TracedModels(models, self.traces)

    def relay(self) -> RelayObserver:
        """Return who is told of what the relay of this process does."""
        self.fed.add("relay")
        return Unobserved() if self.metrics is None else self.metrics.relay()

    def missed(self, reason: str, count: int) -> None:
        """Be told of events that the topic did not bring to views."""
        if self.metrics is not None:
            self.metrics.missed(reason, count)

    def vectors(self, source: VectorSource) -> VectorSource:
        """Return the same source of vectors, traced if traces are on."""
        if self.traces is None or isinstance(source, Unreachable):
            return source
        from infra.telemetry.traced_calls import TracedVectors  # noqa: PLC0415  heavy

        return TracedVectors(source, self.traces)

    def sender(self, sender: WebhookSender) -> WebhookSender:
        """Return the same sender of webhooks, traced if traces are on."""
        if self.traces is None:
            return sender
        from infra.telemetry.traced_calls import TracedSender  # noqa: PLC0415  heavy

        return TracedSender(sender, self.traces)

    def exposition(self, database: asyncpg.Pool) -> Exposition | None:
        """Return what answers ``GET /metrics``; None where metrics are off."""
        metrics = self.metrics
        if metrics is None:
            return None
        self.pools["views"] = database

        async def exposition() -> bytes:
            if self.inflow is not None:
                metrics.fed_from(self.inflow)
            return await metrics.exposition(database, self.pools, self.fed)

        return exposition

    def measure(self, metrics: "Metrics") -> None:
        """Keep metrics of everything."""
        self.metrics = metrics
        self.requests.append(Unharmed(metrics.requests))
        self.deliveries.append(Unharmed(metrics.deliveries))

    def trace(self, traces: "Traces") -> None:
        """Follow everything by spans; requests first, so that all else is below."""
        self.traces = traces
        self.requests.insert(0, Unharmed(traces.requests))
        self.deliveries.insert(0, Unharmed(traces.deliveries))


@asynccontextmanager
async def open_telemetry(settings: Settings) -> AsyncIterator[Telemetry]:
    """Tell what settings want told, until the end; what still waits is sent then.

    Raises:
        SettingsUnusable: Sentry is wanted and not installed.
    """
    telemetry = Telemetry()
    if settings.log_requests:
        telemetry.requests.append(RequestLines())
    if settings.metrics_enabled:
        from infra.telemetry.metrics import Metrics  # noqa: PLC0415  15 MB

        namespace = settings.metrics_namespace or settings.namespace
        telemetry.measure(Metrics(namespace, settings.metrics_max_workspaces))
    async with AsyncExitStack() as running:
        if (collector := collector_of(settings)) is not None:
            from infra.telemetry.tracing import tracing  # noqa: PLC0415  11 MB

            telemetry.trace(
                await running.enter_async_context(tracing(settings, collector))
            )
        if settings.sentry_enabled:
            from infra.telemetry.errors import reporting  # noqa: PLC0415  an extra

            reports = await running.enter_async_context(reporting(settings))
            telemetry.requests.append(Unharmed(reports))
        if settings.telemetry_enabled:
            await _emit(telemetry, settings, running)
        yield telemetry


async def _emit(
    telemetry: Telemetry, settings: Settings, running: AsyncExitStack
) -> None:
    from infra.telemetry.emitting import start_emitter  # noqa: PLC0415  its packages
    from infra.telemetry.told_requests import ToldRequests  # noqa: PLC0415

    metrics = telemetry.metrics
    count = _nothing if metrics is None else metrics.told
    emitter = telemetry.emitter = await start_emitter(settings, count, running)
    telemetry.requests.append(Unharmed(ToldRequests(emitter)))
    if metrics is not None:
        metrics.buffered = emitter.__len__


def _nothing(_what: str, _of: str, _count: int) -> None:
    """Count nothing."""


def collector_of(settings: Settings) -> str | None:
    """Return where spans are sent, None where traces are off."""
    if settings.otel_sdk_disabled:
        return None
    if settings.otel_exporter_otlp_traces_endpoint:
        return settings.otel_exporter_otlp_traces_endpoint
    if settings.otel_exporter_otlp_endpoint:
        return settings.otel_exporter_otlp_endpoint.rstrip("/") + "/v1/traces"
    return None
