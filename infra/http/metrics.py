"""Answer Prometheus, or that there are no metrics; the path is what scrapers ask."""

from collections.abc import Awaitable, Callable
from typing import Final

from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.status_codes import HTTP_404_NOT_FOUND

_PROMETHEUS: Final = "text/plain; version=0.0.4"


def metrics_route(
    exposition: Callable[[], Awaitable[bytes]] | None = None,
) -> HTTPRouteHandler:
    """Return ``GET /metrics``: 404 where metrics are off (HC 1.14)."""

    @get("/metrics", opt={"hidden": True})
    async def metrics() -> Response[bytes]:
        if exposition is None:
            return Response(
                b"Metrics are disabled",
                status_code=HTTP_404_NOT_FOUND,
                media_type=MediaType.TEXT,
            )
        return Response(await exposition(), media_type=_PROMETHEUS)

    return metrics
