"""Wires the emitter of CloudEvents as the settings ``TELEMETRY_*`` say."""

import json
import logging
from contextlib import AsyncExitStack
from importlib.metadata import version

from infra.settings import Settings, SettingsUnusable
from infra.telemetry.emitter import Count, Emitter, EmitterLimits
from infra.telemetry.envelopes import Envelopes


async def start_emitter(
    settings: Settings, count: Count, running: AsyncExitStack
) -> Emitter:
    """Start sending until the stack ends.

    Raises:
        SettingsUnusable: ``TELEMETRY_HEADERS`` is no JSON object of ASCII strings.
    """
    for name in ("httpx", "httpcore"):  # they tell of requests with their addresses
        logging.getLogger(name).setLevel(logging.WARNING)
    namespace = settings.telemetry_namespace or settings.namespace
    emitter = Emitter(
        settings.telemetry_endpoint or "",
        _headers(settings),
        Envelopes(namespace, version("palimpsest-memory")),
        EmitterLimits(
            buffer=settings.telemetry_max_buffer_size,
            batch=settings.telemetry_batch_size,
            threshold=settings.telemetry_flush_threshold,
            interval=settings.telemetry_flush_interval_seconds,
            tries=settings.telemetry_max_retries,
            sample_rate=settings.telemetry_high_volume_sample_rate,
        ),
        count,
    )
    await emitter.start(running)
    return emitter


def _headers(settings: Settings) -> dict[str, str]:
    if settings.telemetry_headers is None:
        return {}
    try:
        found = json.loads(settings.telemetry_headers.get_secret_value())
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not all(
        isinstance(each, str) and (name + each).isascii()
        for name, each in found.items()
    ):
        raise SettingsUnusable(
            "the setting TELEMETRY_HEADERS is no JSON object of ASCII strings"
        )
    return found
