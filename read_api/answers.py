"""The objects of the contract's responses, and how rows become them (HC 1.17).

Every key is always there. ``metadata`` and ``configuration`` pass from the views to
the wire without being understood.
"""

from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from projections.message_body import MessageBody
from projections.ports import Row
from projections.summaries import Summary as Produced

Json = Any
"""A JSON value, already encoded."""

Message = MessageBody
"""A message, written when it was folded."""


class Workspace(msgspec.Struct, frozen=True):
    """A workspace; ``uid`` is its opaque name (HC 7.5)."""

    id: str
    metadata: Json
    configuration: Json
    created_at: datetime
    uid: str


class Peer(msgspec.Struct, frozen=True):
    """A peer; its configuration is exactly what the client stored."""

    id: str
    workspace_id: str
    created_at: datetime
    metadata: Json
    configuration: Json
    uid: str


class Session(msgspec.Struct, frozen=True):
    """A session."""

    id: str
    is_active: bool
    workspace_id: str
    metadata: Json
    configuration: Json
    created_at: datetime
    uid: str


class Conclusion(msgspec.Struct, frozen=True):
    """A conclusion as one observer holds it: these nine, nothing internal (X117).

    ``source_ids`` are conclusions it was built on.
    """

    id: str
    content: str
    observer_id: str
    observed_id: str
    session_id: str | None
    level: str
    created_at: datetime
    source_ids: list[str]
    times_derived: int


class Summary(msgspec.Struct, frozen=True):
    """A summary; ``message_id`` is the last message it covers."""

    content: str
    message_id: str
    summary_type: str
    created_at: str
    token_count: int


WORKSPACE = "w.tenant, w.uid, w.metadata, w.configuration, w.created_at"
PEER = "p.tenant, p.peer, p.uid, p.metadata, p.configuration, p.created_at"
SESSION = (
    "s.tenant, s.session, s.uid, s.metadata, s.configuration, s.created_at, s.is_active"
)
MESSAGE = "m.id, m.body"
CONCLUSION = (
    "c.id, c.content, c.observer, c.observed, c.session, c.level, c.created_at,"
    " c.sources, c.times_derived"
)


def workspace_of(row: Row) -> Workspace:
    """Read a workspace from a row with the columns ``WORKSPACE``."""
    return Workspace(
        id=row["tenant"],
        metadata=json_of(row["metadata"]),
        configuration=json_of(row["configuration"]),
        created_at=row["created_at"],
        uid=row["uid"],
    )


def peer_of(row: Row) -> Peer:
    """Read a peer from a row with the columns ``PEER``."""
    return Peer(
        id=row["peer"],
        workspace_id=row["tenant"],
        created_at=row["created_at"],
        metadata=json_of(row["metadata"]),
        configuration=json_of(row["configuration"]),
        uid=row["uid"],
    )


def session_of(row: Row) -> Session:
    """Read a session from a row with the columns ``SESSION``."""
    return Session(
        id=row["session"],
        is_active=row["is_active"],
        workspace_id=row["tenant"],
        metadata=json_of(row["metadata"]),
        configuration=json_of(row["configuration"]),
        created_at=row["created_at"],
        uid=row["uid"],
    )


def message_of(row: Row) -> Message:
    """Read a message from a row with the columns ``MESSAGE``: as it was written."""
    return cast("Message", msgspec.Raw(row["body"]))


def conclusion_of(row: Row) -> Conclusion:
    """Read a conclusion from a row with the columns ``CONCLUSION``."""
    return Conclusion(
        id=row["id"],
        content=row["content"],
        observer_id=row["observer"],
        observed_id=row["observed"],
        session_id=row["session"],
        level=row["level"],
        created_at=row["created_at"],
        source_ids=list(row["sources"]),
        times_derived=row["times_derived"],
    )


def summary_of(summary: Produced) -> Summary:
    """Show a summary under the contract's name of its kind, to the second."""
    moment = summary.created_at.astimezone(UTC)
    return Summary(
        content=summary.content,
        message_id=summary.message,
        summary_type=f"honcho_chat_summary_{summary.kind}",
        created_at=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        token_count=summary.tokens,
    )


def json_of(text: str) -> msgspec.Raw:
    """Take a jsonb column's text without its blanks (HC 1.1)."""
    return msgspec.Raw(msgspec.json.format(text.encode(), indent=-1))
