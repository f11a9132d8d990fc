"""What delivering a webhook needs of the world."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.webhook import QueueType, WebhookKind


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is due: what is told, to whom, and how often that failed.

    ``story`` is the one it belongs to, ``trace_parent`` what it follows there;
    ``round`` is the position of the event that asked for it last.
    """

    workspace: str
    id: str
    endpoint: str
    url: str
    kind: WebhookKind
    queue_type: QueueType | None
    session: str | None
    observer: str | None
    observed: str | None
    requested_at: datetime
    attempts: int
    story: UUID
    round: int
    trace_parent: str | None = None


class Sent(msgspec.Struct, frozen=True):
    """What an attempt came to: the HTTP status, or a word for why there is none."""

    status: int | None
    error: str | None = None

    @property
    def is_accepted(self) -> bool:
        """Whether the endpoint said so: any 2xx."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004  2xx


class WebhookSender(Protocol):
    """Signs a body and sends it once, within bounds; never raises for the network."""

    async def send(
        self, url: str, body: bytes, trace_parent: str | None = None
    ) -> Sent:
        """Send it; ``trace_parent`` goes along as the W3C header ``traceparent``."""
        ...
