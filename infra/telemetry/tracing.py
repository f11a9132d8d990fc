"""Sends spans to a collector over OTLP, as the standard ``OTEL_*`` settings say.

Spans are sent in batches by a thread of the SDK's; what does not fit its queue is
dropped, and a collector that is away is nobody's trouble but its own.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from threading import Thread
from typing import Final
from urllib.parse import unquote

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    ParentBased,
    Sampler,
    TraceIdRatioBased,
)

from infra.settings import Settings
from infra.telemetry.traces import Traces

_LOG: Final = logging.getLogger("palimpsest.telemetry")

_EXPORTER: Final = "opentelemetry.exporter"

_LAST_SEND: Final = 2.0
"""Seconds spans that still wait may take to be sent at the end."""

_SEND_WITHIN: Final = 5.0


@asynccontextmanager
async def tracing(settings: Settings, collector: str) -> AsyncIterator[Traces]:
    """Make traces until the end; what waits then is sent, within bounds."""
    # One line for each batch that is lost, none for each time it is tried.
    logging.getLogger(_EXPORTER).setLevel(logging.ERROR)
    exporter = OTLPSpanExporter(
        endpoint=collector, headers=_headers(settings), timeout=_SEND_WITHIN
    )
    provider = provider_of(settings, exporter)
    try:
        yield Traces(provider.get_tracer("palimpsest"))
    finally:
        await _end(provider)


async def _end(provider: TracerProvider) -> None:
    """Send what waits; a thread nobody waits for later tries longer, in vain."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def end() -> None:
        provider.shutdown()
        with suppress(RuntimeError):  # the loop is gone: nobody waits any more
            loop.call_soon_threadsafe(ended.set)

    Thread(target=end, name="last spans", daemon=True).start()
    try:
        async with asyncio.timeout(_LAST_SEND):
            await ended.wait()
    except TimeoutError:
        _LOG.warning("the last spans are not sent: the collector does not answer")
        logging.getLogger(_EXPORTER).setLevel(logging.CRITICAL)


def provider_of(settings: Settings, exporter: SpanExporter) -> TracerProvider:
    """Return what makes spans and hands them to an exporter."""
    provider = TracerProvider(
        sampler=_sampler(settings),
        resource=Resource.create(
            {
                "service.name": settings.otel_service_name,
                "service.namespace": settings.namespace,
            }
        ),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _sampler(settings: Settings) -> Sampler:
    name = settings.otel_traces_sampler
    root: Sampler = ALWAYS_ON
    if name.endswith("always_off"):
        root = ALWAYS_OFF
    elif name.endswith("traceidratio"):
        root = TraceIdRatioBased(settings.otel_traces_sampler_arg)
    return ParentBased(root) if name.startswith("parentbased_") else root


def _headers(settings: Settings) -> dict[str, str]:
    """Read ``a=b,c=d`` with values as a URL writes them (OpenTelemetry's own rule)."""
    if settings.otel_exporter_otlp_headers is None:
        return {}
    pairs = settings.otel_exporter_otlp_headers.get_secret_value().split(",")
    named = (pair.partition("=") for pair in pairs if "=" in pair)
    return {name.strip().lower(): unquote(value.strip()) for name, _, value in named}
