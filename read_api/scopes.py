"""Scopes as a question may name them, and peers that may be none (HC 2.6)."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from pydantic import Field, StringConstraints

from domain.errors import Invalid, NotFound
from domain.names import NAME_PATTERN, is_reserved
from domain.observed import refuse_scope, refuse_unobservable
from domain.peer import Peer
from domain.scope import MAX_SCOPE_NAME, peer_of_scope
from projections.as_of import NOW, holding
from projections.condition import Bind
from projections.ports import Connection, Database
from projections.scope_sessions import sessions_of_scopes

MOST_SESSIONS = 1000
"""Most sessions the scopes of one request may hold together (HC 1.12)."""

ScopeName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_SCOPE_NAME, pattern=NAME_PATTERN),
]
"""The public name of a scope (HC 1.2)."""

ScopeOption = (
    ScopeName | Annotated[list[ScopeName], Field(min_length=1, max_length=100)]
)
"""One scope, or up to a hundred whose sessions are joined."""

NEEDS_WIDE_KEY = "`scope` requires a workspace- or admin-level key"
"""What a peer's or a session's key is told that names a scope (HC 1.12)."""


class Scoped(msgspec.Struct, frozen=True):
    """What an option ``scope`` comes to: another observer, or only some sessions.

    ``observer`` is the hidden peer of the one scope that was named; None where a list
    was, whose ``sessions`` the recall is then confined to.
    """

    observer: str | None
    sessions: list[str] | None


async def resolve_scope(
    db: Connection, workspace: str, scope: str | Sequence[str], as_of: int = NOW
) -> Scoped:
    """Return what a named scope, or a list of them, comes to, or came to.

    Raises:
        NotFound: one of them does not exist.
        Invalid: an ordinary peer has a scope's name, or a list holds too much.
    """
    named = [scope] if isinstance(scope, str) else list(scope)
    await check_scopes(db, workspace, named, as_of)
    if isinstance(scope, str):
        return Scoped(peer_of_scope(scope), None)
    sessions = await sessions_of_scopes(db, workspace, named, MOST_SESSIONS + 1, as_of)
    if len(sessions) > MOST_SESSIONS:
        raise Invalid(
            "The scopes' combined membership exceeds the maximum of"
            f" {MOST_SESSIONS} sessions per request"
        )
    return Scoped(None, sessions)


async def check_scopes(
    db: Connection, workspace: str, named: Sequence[str], as_of: int = NOW
) -> None:
    """Refuse a name that names no scope; the first is complained of.

    Raises:
        NotFound, Invalid
    """
    peers = await _find(db, workspace, [peer_of_scope(scope) for scope in named], as_of)
    for scope in named:
        peer = peers.get(peer_of_scope(scope))
        if peer is None:
            raise NotFound(f"Scope {scope} not found in workspace {workspace}")
        if not peer.is_scope:
            raise Invalid(
                f"'{scope}' does not name a scope: a non-scope peer occupies its"
                " reserved name."
            )


async def refuse_reserved(
    database: Database, workspace: str, *peers: str | None, as_of: int = NOW
) -> None:
    """Refuse a scope, or what may become one, where a peer is observed.

    Raises:
        Invalid
    """
    named = [peer for peer in peers if peer is not None and is_reserved(peer)]
    if not named:
        return
    async with database.acquire() as db:
        found = await _find(db, workspace, named, as_of)
    for peer in named:
        refuse_unobservable(found.get(peer, Peer()), peer)


async def refuse_perspective(
    database: Database, workspace: str, peer: str | None, as_of: int = NOW
) -> None:
    """Refuse a scope as a perspective: it has an option of its own (HC E29).

    Raises:
        Invalid
    """
    if peer is None or not is_reserved(peer):
        return
    async with database.acquire() as db:
        found = await _find(db, workspace, [peer], as_of)
    refuse_scope(found.get(peer, Peer()), peer, "Use `scope` to recall through one.")


async def _find(
    db: Connection, workspace: str, peers: Sequence[str], as_of: int
) -> dict[str, Peer]:
    bind = Bind(workspace, list(dict.fromkeys(peers)))
    rows = await db.fetch(
        "SELECT peer, is_scope FROM peer WHERE tenant = $1"  # noqa: S608  every value is bound
        f" AND peer = ANY($2::text[]) AND {holding(as_of)(bind)}",
        *bind.values,
    )
    return {row["peer"]: Peer(exists=True, is_scope=row["is_scope"]) for row in rows}
