"""A session as the doors that change it answer it."""

from datetime import datetime
from typing import Any

import msgspec

from domain.session import Session


class SessionBody(msgspec.Struct, frozen=True):
    """A session as it is answered (HC 1.17); ``uid`` is opaque (HC 7.5)."""

    id: str
    is_active: bool
    workspace_id: str
    metadata: dict[str, Any]
    configuration: dict[str, Any]
    created_at: datetime | None
    uid: str


def session_body(workspace: str, session: str, state: Session) -> SessionBody:
    """Show a session's state."""
    return SessionBody(
        session,
        state.exists,
        workspace,
        state.metadata,
        state.configuration,
        state.created_at,
        state.uid,
    )
