"""Messages about to be said in a session, and how they are numbered."""

from datetime import datetime
from typing import Any

import msgspec

from domain.session import MessageAdded, Session, SummaryKind, check_open


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A message about to be said: all but its number.

    ``derive`` and the two thresholds are the settings resolved for it.
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
        )
        for seq, draft in enumerate(drafts, start=state.last_seq + 1)
    ]


def _summaries_due(draft: Draft, seq: int) -> tuple[SummaryKind, ...]:
    due: list[SummaryKind] = []
    if draft.short_every and seq % draft.short_every == 0:
        due.append("short")
    if draft.long_every and seq % draft.long_every == 0:
        due.append("long")
    return tuple(due)
