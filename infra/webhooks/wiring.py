"""Wires deliveries, where there is a secret to sign them with."""

from datetime import UTC, datetime, timedelta

from commands.decide import Decide
from infra.settings import Settings
from infra.telemetry.telemetry import Telemetry
from infra.turns import Works
from infra.webhooks.dispatch import Dispatch, Views
from processors.deliver_webhooks import DeliverWebhooks, Retries
from projections.ports import Database


async def dispatch_webhooks(
    settings: Settings,
    decide: Decide,
    database: Database,
    views: Views,
    telemetry: Telemetry,
    works: Works,
) -> None:
    """Deliver while no other process does; never without a secret (HC E51)."""
    if settings.webhook_secret is None:
        return
    from infra.webhooks.sender import HttpSender  # noqa: PLC0415  6 MB of httpx

    sender = await works.running.enter_async_context(
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
    works.begin("webhooks", dispatch.run)


def _now() -> datetime:
    return datetime.now(UTC)
