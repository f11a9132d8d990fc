"""A scope: a named set of sessions with a memory of its own (HC 2.6, RS 2.8).

It is kept as a hidden peer, ``scope.<name>``, that observes the sessions of the set
and is never observed. Which sessions those are is told by events on the sessions'
own streams: whoever adds different sessions at once never meets, and a session that
is erased takes its places with it.
"""

from datetime import datetime
from typing import Any, ClassVar

from domain.event import Event, Personal
from domain.names import MAX_NAME, SCOPE_PREFIX

MAX_SCOPE_NAME = MAX_NAME - len(SCOPE_PREFIX)
"""Longest public name of a scope in characters (HC 1.2)."""


class ScopeCreated(Event, frozen=True, kw_only=True, tag="scope-created"):
    """A scope came to be, by request or because a session was opened in it.

    ``peer`` is the name of its hidden peer, on whose stream this stands, so that no
    ordinary peer can take the name.
    """

    sealed_for: ClassVar[tuple[str | None, str | None]] = (None, "peer")

    peer: str
    uid: str
    created_at: datetime
    metadata: Personal[dict[str, Any]] = {}


class SessionAddedToScope(
    Event, frozen=True, kw_only=True, tag="session-added-to-scope"
):
    """A session is in the scope; one that was in it goes to the end of the order.

    ``scope`` is the public name.
    """

    session: str
    scope: str
    joined_at: datetime


class SessionRemovedFromScope(
    Event, frozen=True, kw_only=True, tag="session-removed-from-scope"
):
    """A session is no longer in the scope, nor is what its memory had from there."""

    session: str
    scope: str
    left_at: datetime


def peer_of_scope(scope: str) -> str:
    """Return the name of the hidden peer of a scope."""
    return SCOPE_PREFIX + scope
