"""A message as the doors that change it answer it."""

from datetime import datetime
from typing import Any

import msgspec

from domain.session import MessageAdded


class MessageBody(msgspec.Struct, frozen=True):
    """A message as it is answered; a new one's time as it was sent (HC 1.8, 1.17)."""

    id: str
    content: str
    peer_id: str
    session_id: str
    metadata: dict[str, Any]
    created_at: datetime
    workspace_id: str
    token_count: int


def message_body(message: MessageAdded) -> MessageBody:
    """Show a message just added."""
    return MessageBody(
        message.id,
        message.content,
        message.author,
        message.session,
        message.metadata,
        message.created_at,
        message.workspace,
        message.tokens,
    )
