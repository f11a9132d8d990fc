"""What may happen to webhooks, for arbitrary histories of one small workspace."""

from datetime import timedelta

from domain.event import Event
from domain.webhook import (
    WebhookAttemptFailed,
    WebhookCreated,
    WebhookDeleted,
    WebhookDelivered,
    WebhookFailed,
    WebhookReplayRequested,
    WebhookRequested,
)
from tests.support.history import START

ENDPOINTS = 3


def webhook_events(session: str, number: int, count: int) -> list[Event]:
    """Return the next of one of three endpoints; ``count`` makes ids new."""
    endpoint = f"hook-{number % ENDPOINTS}"
    named = {"workspace": "w", "delivery": f"{endpoint}-d", "endpoint": endpoint}
    at = START + timedelta(minutes=count)
    if number // ENDPOINTS == 1:
        asked = {"queue_type": "representation", "session": session}
        kind = "queue.empty"
        return [WebhookRequested(**named, kind=kind, requested_at=at, **asked)]
    url = f"https://example.com/{endpoint}"
    happened = {
        0: WebhookCreated(workspace="w", id=endpoint, url=url, created_at=at),
        2: WebhookAttemptFailed(**named, attempt=1, at=at, retry_at=at, status=500),
        3: WebhookDelivered(**named, attempt=2, at=at, status=200),
        4: WebhookFailed(**named, attempt=3, at=at, error="ConnectError"),
        5: WebhookReplayRequested(**named, requested_at=at),
        6: WebhookDeleted(workspace="w", id=endpoint),
    }
    return [happened[number // ENDPOINTS]]
