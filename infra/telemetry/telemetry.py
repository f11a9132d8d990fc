"""All telemetry of a server, as settings want it; what is off costs nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
from litestar.types import ASGIApp

from infra.postgres.log import PostgresLog
from infra.settings import Settings
from infra.telemetry.doors import Doors, RequestLines
from infra.telemetry.observers import DeliveryObserver, Folded, RequestObserver
from infra.telemetry.unharmed import unharmed

if TYPE_CHECKING:
    from infra.telemetry.metrics import Metrics

Exposition = Callable[[], Awaitable[bytes]]
"""Gives all series as text."""


class Telemetry:
    """What is told of a server, and how its parts are told to tell it."""

    def __init__(self) -> None:
        self.requests: list[RequestObserver] = []
        self.deliveries: list[DeliveryObserver] = []
        self.pools: dict[str, asyncpg.Pool] = {}
        self.metrics: Metrics | None = None

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return the application with its requests named and observed."""
        return Doors(app, self.requests)

    def follow(self, log: PostgresLog) -> None:
        """Be told of what is written to a log."""
        self.pools |= log.pools
        if self.metrics is not None:
            log.tell(unharmed(self.metrics.committed, None))

    def folds(self, group: str) -> Sequence[Folded]:
        """Return who is told of the folds of a group of views."""
        if self.metrics is None:
            return ()
        return (unharmed(self.metrics.folds(group), None),)

    def exposition(self, database: asyncpg.Pool) -> Exposition | None:
        """Return what answers ``GET /metrics``; None where metrics are off."""
        metrics = self.metrics
        if metrics is None:
            return None
        self.pools["views"] = database
        return lambda: metrics.exposition(database, self.pools)

    def measure(self, metrics: "Metrics") -> None:
        """Keep metrics of everything."""
        self.metrics = metrics
        self.requests.append(metrics.requests)
        self.deliveries.append(metrics.deliveries)


@asynccontextmanager
async def open_telemetry(settings: Settings) -> AsyncIterator[Telemetry]:
    """Tell what settings want told, until the end; what still waits is sent then."""
    telemetry = Telemetry()
    if settings.log_requests:
        telemetry.requests.append(RequestLines())
    if settings.metrics_enabled:
        from infra.telemetry.metrics import Metrics  # noqa: PLC0415  15 MB

        namespace = settings.metrics_namespace or settings.namespace
        telemetry.measure(Metrics(namespace, settings.metrics_max_workspaces))
    yield telemetry
