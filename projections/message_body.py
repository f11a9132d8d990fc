"""A message as it is answered, written once when it is folded (HC 1.17).

Lists and contexts hand out the same few kilobytes over and over: reading columns,
building structs and encoding them took more time than everything else of a page.
"""

from datetime import UTC, datetime

import msgspec

from domain.session import MessageAdded
from projections.columns import as_json, as_text, as_utc


class MessageBody(msgspec.Struct, frozen=True):
    """The eight keys of a message; ``token_count`` is in o200k_base tokens."""

    id: str
    content: str
    peer_id: str
    session_id: str
    metadata: msgspec.Raw
    created_at: datetime
    workspace_id: str
    token_count: int


def with_metadata(body: bytes, metadata: msgspec.Raw) -> bytes:
    """Return the JSON of the same message with other metadata."""
    message = msgspec.json.decode(body, type=MessageBody)
    return msgspec.json.encode(msgspec.structs.replace(message, metadata=metadata))


def body_of(event: MessageAdded) -> bytes:
    """Return the JSON of a message as it was said."""
    metadata = as_json(event.metadata) if event.metadata else "{}"
    body = MessageBody(
        id=event.id,
        content=as_text(event.content),
        peer_id=event.author,
        session_id=event.session,
        metadata=msgspec.Raw(metadata.encode()),
        created_at=as_utc(event.created_at).astimezone(UTC),
        workspace_id=event.workspace,
        token_count=event.tokens,
    )
    return msgspec.json.encode(body)
