"""Messages: how they are numbered, copied, and what of them may change."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from domain.configuration import is_same
from domain.event import Event, Personal
from domain.session import MessageAdded, Session, SummaryKind, check_open


class MessageMetadataChanged(
    Event, frozen=True, kw_only=True, tag="message-metadata-changed"
):
    """The metadata of a message is now this, as a whole; nothing else ever changes."""

    sealed_for: ClassVar[tuple[str | None, str | None]] = ("session", "author")

    session: str
    id: str
    author: str
    metadata: Personal[dict[str, Any]]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A message about to be said: all but its number.

    ``derive`` and the two thresholds are the settings resolved for it; ``instructions``
    are its own.
    """

    id: str
    author: str
    content: str
    metadata: dict[str, Any]
    created_at: datetime
    tokens: int
    derive: bool
    short_every: int | None
    long_every: int | None
    received_at: datetime | None = None
    instructions: str | None = None
    language: str | None = None


def add_messages(
    state: Session, named: tuple[str, str], drafts: list[Draft]
) -> list[MessageAdded]:
    """Number the drafts after what was already said, in the order given (RS 1.1).

    Raises:
        NotFound: the session is deleted.
    """
    check_open(state, named)
    workspace, session = named
    return [
        MessageAdded(
            workspace=workspace,
            session=session,
            id=draft.id,
            seq=seq,
            author=draft.author,
            created_at=draft.created_at,
            tokens=draft.tokens,
            content=draft.content,
            metadata=draft.metadata,
            derive=draft.derive,
            summaries=_summaries_due(draft, seq),
            received_at=draft.received_at,
            instructions=draft.instructions,
            language=draft.language,
        )
        for seq, draft in enumerate(drafts, start=state.last_seq + 1)
    ]


def copy_messages(state: Session, drafts: Sequence[MessageAdded]) -> list[MessageAdded]:
    """Return those copies that are not there yet; they bring their numbers."""
    return [draft for draft in drafts if draft.seq > state.last_seq]


def change_metadata(
    stored: dict[str, Any], event: MessageMetadataChanged
) -> list[MessageMetadataChanged]:
    """Replace a message's metadata, unless it is that already (HC E36)."""
    return [] if is_same(stored, event.metadata) else [event]


def _summaries_due(draft: Draft, seq: int) -> tuple[SummaryKind, ...]:
    due: list[SummaryKind] = []
    if draft.short_every and seq % draft.short_every == 0:
        due.append("short")
    if draft.long_every and seq % draft.long_every == 0:
        due.append("long")
    return tuple(due)
