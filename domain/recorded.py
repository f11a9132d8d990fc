"""An event in the log: where it stands, when it was written, and why."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.event import Event


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """Why an event was recorded.

    ``correlation_id`` is the story all of it belongs to; ``causation_id`` is the
    event (or command) that led to this one; ``actor`` is who asked: ``client``, a
    peer claim, or a processor's name.
    """

    actor: str
    correlation_id: UUID
    causation_id: UUID | None = None
    command_id: UUID | None = None
    trace_parent: str | None = None


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the log with its envelope.

    ``position`` is dense and commit-ordered over the whole log; ``version`` counts
    from 1 within the stream; ``recorded_at`` is monotone with position.
    """

    position: int
    stream: str
    version: int
    tenant: str
    shard: int
    recorded_at: datetime
    id: UUID
    cause: Cause
    event: Event
