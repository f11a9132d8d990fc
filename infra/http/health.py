"""Tell whether the server is ready."""

from collections.abc import Callable
from typing import Any

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE


def health_route(
    is_ready: Callable[[], bool], detail: Callable[[], dict[str, Any]]
) -> HTTPRouteHandler:
    """Return ``GET /health``: 200 once ready, before that and at the end 503.

    ``detail`` adds what is under way, nothing as a rule.
    """

    @get("/health", summary="Health", sync_to_thread=False)
    def health() -> Response[dict[str, Any]]:
        if is_ready():
            return Response({"status": "ok"} | detail(), status_code=HTTP_200_OK)
        return Response(
            {"status": "starting"}, status_code=HTTP_503_SERVICE_UNAVAILABLE
        )

    return health
