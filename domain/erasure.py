"""Deletion and erasure of a session or a workspace: marked at once, purged later.

A deleted session is inactive at once and stays readable until ``purge_at`` (HC E21).
Then its erasure begins: from there on nothing is written under its keys, so that they
can be destroyed for good. Erased at last, its name is free again. A workspace goes the
same way, and everything in it with it (HC E04).
"""

from datetime import datetime

from domain.event import Event


class SessionDeleted(Event, frozen=True, kw_only=True, tag="session-deleted"):
    """A session is inactive; at ``purge_at`` what it holds is to be erased."""

    session: str
    deleted_at: datetime
    purge_at: datetime


class SessionErasureBegun(
    Event, frozen=True, kw_only=True, tag="session-erasure-begun"
):
    """Nothing is written in the session from here on; its keys are destroyed next."""

    session: str


class SessionErased(Event, frozen=True, kw_only=True, tag="session-erased"):
    """What the session held is unreadable and out of the views; its id is free.

    Whatever happened in it happened at positions up to ``through``.
    """

    session: str
    erased_at: datetime
    through: int


class WorkspaceDeletionRequested(
    Event, frozen=True, kw_only=True, tag="workspace-deletion-requested"
):
    """At ``purge_at`` the workspace is to be erased; until then it answers."""

    requested_at: datetime
    purge_at: datetime


class WorkspaceErasureBegun(
    Event, frozen=True, kw_only=True, tag="workspace-erasure-begun"
):
    """Nothing is written in the workspace from here on, until it is erased."""


class WorkspaceErased(Event, frozen=True, kw_only=True, tag="workspace-erased"):
    """What the workspace held is unreadable and out of the views; its id is free.

    Whatever happened in it happened at positions up to ``through``.
    """

    erased_at: datetime
    through: int


class StreamErased(Event, frozen=True, kw_only=True, tag="stream-erased"):
    """What this stream told went with its session, or with its whole workspace.

    Every stream of what is erased but the one that says so itself ends in one;
    what follows is told anew.
    """

    session: str | None = None
    through: int = 0
