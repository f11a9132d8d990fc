"""Wires deliveries, where there is a secret to sign them with."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from commands.decide import Decide
from infra.settings import Settings
from infra.telemetry.telemetry import Telemetry
from infra.watch import Watch
from infra.webhooks.dispatch import Dispatch, Views
from processors.deliver_webhooks import DeliverWebhooks, Retries
from projections.ports import Database


async def dispatch_webhooks(
    settings: Settings,
    decide: Decide,
    database: Database,
    views: Views,
    watch: Watch,
    telemetry: Telemetry,
    running: AsyncExitStack,
) -> None:
    """Deliver until the stack ends; never without ``WEBHOOK_SECRET`` (HC E51)."""
    if settings.webhook_secret is None:
        return
    from infra.webhooks.sender import HttpSender  # noqa: PLC0415  6 MB of httpx

    sender = await running.enter_async_context(
        HttpSender.open(settings.webhook_secret.get_secret_value())
    )
    retries = Retries(
        attempts=settings.webhook_max_attempts,
        first_wait=timedelta(seconds=settings.webhook_retry_seconds),
    )
    deliver = DeliverWebhooks(
        decide, telemetry.sender(sender), clock=_now, retries=retries
    )
    dispatch = Dispatch(deliver, database, views, clock=_now)
    task = asyncio.create_task(dispatch.run(), name="webhooks")
    running.push_async_callback(_stop, task)
    watch.add(task)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _now() -> datetime:
    return datetime.now(UTC)
