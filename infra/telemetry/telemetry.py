"""All telemetry of a server, as settings want it; what is off costs nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar.types import ASGIApp

from infra.settings import Settings
from infra.telemetry.doors import Doors, RequestLines, RequestObserver


class Telemetry:
    """What is told of a server, and how its parts are told to tell it."""

    def __init__(self) -> None:
        self.requests: list[RequestObserver] = []

    def around(self, app: ASGIApp) -> ASGIApp:
        """Return the application with its requests named and observed."""
        return Doors(app, self.requests)


@asynccontextmanager
async def open_telemetry(settings: Settings) -> AsyncIterator[Telemetry]:
    """Tell what settings want told, until the end; what still waits is sent then."""
    telemetry = Telemetry()
    if settings.log_requests:
        telemetry.requests.append(RequestLines())
    yield telemetry
