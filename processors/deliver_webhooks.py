"""Makes one attempt to deliver a webhook, and records what came of it (HC E51)."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from commands.decide import Decide
from commands.delivery import Outcome, record_outcome, recorded_outcome
from commands.ports import Clock
from domain.recorded import Cause
from domain.webhook import WebhookAttemptFailed, WebhookDelivered, WebhookFailed
from processors.sending import Sent, Waiting, WebhookSender


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """How patient deliveries are: ``first_wait`` doubles up to ``longest_wait``.

    Waits vary by a fifth, so that what failed together is not tried together.
    """

    attempts: int = 8
    first_wait: timedelta = timedelta(seconds=5)
    longest_wait: timedelta = timedelta(hours=1)

    def wait_after(self, attempt: int) -> timedelta:
        """Return how long to wait after the ``attempt``-th failure."""
        doubled: timedelta = self.first_wait * 2 ** min(attempt - 1, 20)
        return min(doubled, self.longest_wait) * random.uniform(0.8, 1.2)  # noqa: S311  jitter, not a secret


class DeliverWebhooks:
    """Sends what waits, and records the outcome as an event of the endpoint.

    It is at least once: what was sent when the process died is sent again, with the
    same body. Its log says what each attempt came to, and that alone: views may not
    know it yet, nor for as long as something keeps them.
    """

    name = "deliver_webhooks"

    def __init__(
        self, decide: Decide, sender: WebhookSender, *, clock: Clock, retries: Retries
    ) -> None:
        self._decide = decide
        self._sender = sender
        self._clock = clock
        self._retries = retries

    async def __call__(self, waiting: Waiting) -> int | None:
        """Attempt once; the position of its outcome, None if nobody wants it now.

        Raises:
            EventStoreError: it is not recorded, and will be attempted again.
            Damaged: it was made, and what came of it cannot be read.
        """
        made = (waiting.id, waiting.round, waiting.attempts + 1)
        before = await recorded_outcome(self._decide, waiting.workspace, made)
        if before is not None:
            return before.last
        parent = waiting.trace_parent
        sent = await self._sender.send(waiting.url, body_of(waiting), parent)
        cause = Cause(
            actor=self.name, correlation_id=waiting.story, trace_parent=parent
        )
        recorded = await record_outcome(
            self._decide,
            self._outcome(waiting, sent),
            round_=waiting.round,
            cause=cause,
        )
        return None if recorded is None else recorded.last

    def _outcome(self, waiting: Waiting, sent: Sent) -> Outcome:
        attempt, now = waiting.attempts + 1, self._clock()
        told: dict[str, Any] = {
            "workspace": waiting.workspace,
            "delivery": waiting.id,
            "endpoint": waiting.endpoint,
            "attempt": attempt,
            "at": now,
            "status": sent.status,
        }
        if sent.is_accepted:
            return WebhookDelivered(**told)
        if attempt >= self._retries.attempts:
            return WebhookFailed(**told, error=sent.error)
        retry_at = now + self._retries.wait_after(attempt)
        return WebhookAttemptFailed(**told, error=sent.error, retry_at=retry_at)


def body_of(waiting: Waiting) -> bytes:
    """Return the exact bytes, the same at each attempt (HC E51)."""
    told: dict[str, str | None] = {"workspace_id": waiting.workspace}
    if waiting.kind == "queue.empty":
        told |= {
            "queue_type": waiting.queue_type,
            "session_id": waiting.session,
            "observer": waiting.observer,
            "observed": waiting.observed,
        }
    moment = waiting.requested_at.astimezone(UTC)
    document = {"type": waiting.kind, "data": told, "timestamp": _spelt(moment)}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _spelt(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
