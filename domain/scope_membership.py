"""Which sessions a scope holds: what may be decided about it (HC 2.6)."""

from collections.abc import Sequence
from datetime import datetime

from domain.errors import Conflict, NotFound
from domain.peer import Peer
from domain.scope import (
    ScopeCreated,
    SessionAddedToScope,
    SessionRemovedFromScope,
    peer_of_scope,
)
from domain.session import Session


def create_scope(
    state: Peer, workspace: str, scope: str, event: ScopeCreated
) -> list[ScopeCreated]:
    """Create it unless it exists.

    Raises:
        Conflict: an ordinary peer of long ago has the hidden peer's name (E41).
    """
    if state.is_scope:
        return []
    if state.exists:
        raise Conflict(
            f"A peer named '{peer_of_scope(scope)}' already exists in workspace"
            f" {workspace} but is not a scope. Rename or delete that peer before"
            " creating this scope."
        )
    return [event]


def check_scope(state: Peer, workspace: str, scope: str) -> None:
    """Refuse a scope that does not exist, an ordinary peer of the name included.

    Raises:
        NotFound
    """
    if not state.is_scope:
        raise NotFound(f"Scope {scope} not found in workspace {workspace}")


def add_to_scope(
    named: tuple[str, str], scope: str, joined_at: datetime
) -> list[SessionAddedToScope]:
    """Add a session, or send one that is there to the end of the order (E44)."""
    workspace, session = named
    return [
        SessionAddedToScope(
            workspace=workspace, session=session, scope=scope, joined_at=joined_at
        )
    ]


def join_scopes(
    state: Session, named: tuple[str, str], scopes: Sequence[str], joined_at: datetime
) -> list[SessionAddedToScope]:
    """Add a session to those of the scopes it is not in yet (E19, E22)."""
    return [
        added
        for scope in dict.fromkeys(scopes)
        if scope not in state.scopes
        for added in add_to_scope(named, scope, joined_at)
    ]


def remove_from_scope(
    state: Session, named: tuple[str, str], scope: str, left_at: datetime
) -> list[SessionRemovedFromScope]:
    """Take a session out; one that is not in it is no matter (E45)."""
    if scope not in state.scopes:
        return []
    workspace, session = named
    return [
        SessionRemovedFromScope(
            workspace=workspace, session=session, scope=scope, left_at=left_at
        )
    ]
