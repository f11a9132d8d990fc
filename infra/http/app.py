"""The HTTP application, made from doors and what they need."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from litestar import Litestar, Request, Router
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler

from commands.ports import Limits
from infra.http.asyncapi import asyncapi_route
from infra.http.caller import ANYONE, RequestCaller
from infra.http.description import description_routes
from infra.http.errors import answer_failure
from infra.http.gate import Gate, caller_of
from infra.http.health import health_route
from infra.http.keys import keys_route
from infra.http.metrics import metrics_route
from infra.http.origin import RequestOrigin
from infra.http.threshold import Threshold
from infra.http.validation import RequestParse
from infra.settings.kafka import KafkaSettings

MAX_BODY = 32 * 1024 * 1024
"""Largest request body in bytes: 100 messages of 25,000 escaped characters."""

ORIGINS = ("http://localhost", "http://127.0.0.1:8000", "https://api.honcho.dev")
"""Origins allowed unless settings say otherwise (HC 1.15)."""


class AppSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What may be chosen about the HTTP application.

    ``is_ready`` turns ``/health`` to 200, ``health_detail`` adds to it what is under
    way; ``count_tokens`` counts o200k_base.
    ``gate`` asks for keys; without one everybody is an admin (HC 4.1). ``metrics``
    gives what Prometheus asks for; without it there are none. ``kafka`` says where
    the topics are, for ``/asyncapi.json``.
    """

    is_ready: Callable[[], bool]
    health_detail: Callable[[], dict[str, Any]] = dict
    count_tokens: Callable[[str], int]
    allowed_origins: Sequence[str] = ORIGINS
    limits: Limits = Limits()
    gate: Gate | None = None
    metrics: Callable[[], Awaitable[bytes]] | None = None
    kafka: KafkaSettings = KafkaSettings()


def create_app(
    doors: Sequence[ControllerRouterHandler],
    dependencies: Mapping[str, Any],
    settings: AppSettings,
) -> Threshold:
    """Return the ASGI application; its Litestar is in ``litestar``.

    ``dependencies`` are injected by name, as they are, into handlers that ask for
    them; ``parse``, ``origin`` and ``caller`` are made here for each request.
    """

    async def parse(request: Request[Any, Any, Any]) -> RequestParse:
        return RequestParse(request, settings.count_tokens, settings.limits)

    async def origin(request: Request[Any, Any, Any]) -> RequestOrigin:
        return RequestOrigin(request)

    async def caller(request: Request[Any, Any, Any]) -> RequestCaller:
        return caller_of(request.scope)

    gate = settings.gate
    app = Litestar(
        [
            *_routers_first(doors),
            health_route(settings.is_ready, settings.health_detail),
            metrics_route(settings.metrics),
            keys_route(settings.gate, dependencies.get("views")),
            *description_routes(),
            asyncapi_route(settings.kafka),
        ],
        dependencies={
            "parse": Provide(parse),
            "origin": Provide(origin),
            "caller": _as_it_is(ANYONE) if gate is None else Provide(caller),
            **{name: _as_it_is(value) for name, value in dependencies.items()},
        },
        guards=None if gate is None else [gate],
        exception_handlers={HTTPException: answer_failure, Exception: answer_failure},
        cors_config=CORSConfig(
            allow_origins=list(settings.allowed_origins),
            allow_credentials=True,
            expose_headers=["X-Position", "X-Request-Id"],
            max_age=600,
        ),
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,
    )
    _resolve_in_turn(app)
    return Threshold(app, settings.allowed_origins)


def _routers_first(
    doors: Sequence[ControllerRouterHandler],
) -> list[ControllerRouterHandler]:
    """Let a path that a router and a bare handler share be registered by the router.

    A router brings a handler of OPTIONS for each of its paths; a bare handler is
    given one only where there is none yet, and two for one path are refused.
    """
    return sorted(doors, key=lambda door: not isinstance(door, Router))


def _resolve_in_turn(app: Litestar) -> None:
    """Let each dependency be a batch of its own.

    Litestar starts a task group for a batch of several, which took half the time of
    a request (190 of 385 microseconds). Ours never wait for anything.
    """
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for _, model in route.route_handler_map.values():
                model.dependency_batches = [
                    {each} for batch in model.dependency_batches for each in batch
                ]


def _as_it_is(value: Any) -> Provide:
    """Inject a value; one who brings a ``Provide`` has said how."""
    if isinstance(value, Provide):
        return value
    return Provide(lambda: value, use_cache=True, sync_to_thread=False)
