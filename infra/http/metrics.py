"""Answer that there are no metrics; the path is what scrapers of Honcho ask."""

from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.status_codes import HTTP_404_NOT_FOUND


def metrics_route() -> HTTPRouteHandler:
    """Return ``GET /metrics``: plain text, always 404 (HC 1.14)."""

    @get("/metrics", opt={"hidden": True}, sync_to_thread=False)
    def metrics() -> Response[str]:
        return Response(
            "Metrics are disabled",
            status_code=HTTP_404_NOT_FOUND,
            media_type=MediaType.TEXT,
        )

    return metrics
