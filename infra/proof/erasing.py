"""What is being erased: its keys may be gone while the views still show its words.

Keys are destroyed between an erasure's begin and its end, which are both in the log.
Until the views have folded the end, a fold of the same events has fewer words than
they, and nobody did anything wrong.
"""

from typing import Final

import asyncpg
import msgspec

from domain.erasure import (
    SessionErased,
    SessionErasureBegun,
    WorkspaceErased,
    WorkspaceErasureBegun,
)
from domain.event import tag_of
from domain.names import workspace_stream
from infra.proof.comparison import Rows
from infra.proof.sample import Session, session_of

_UNDER_WAY: Final = """
SELECT DISTINCT b.tenant, b.stream FROM log.event AS b
WHERE b.type = ANY ($2::text[]) AND NOT EXISTS (SELECT FROM log.event AS e
    WHERE e.stream = b.stream AND e.version > b.version AND e.position <= $1
        AND e.type = ANY ($3::text[]))
ORDER BY b.tenant, b.stream
"""

_BEGINS: Final = [tag_of(each) for each in (SessionErasureBegun, WorkspaceErasureBegun)]
_ENDS: Final = [tag_of(each) for each in (SessionErased, WorkspaceErased)]


class Erasing(msgspec.Struct, frozen=True):
    """Sessions and whole workspaces whose erasure began and is not folded yet."""

    sessions: frozenset[Session]
    workspaces: frozenset[str]

    def spares(self, session: Session) -> bool:
        """Tell whether nothing is being erased of a session."""
        return session not in self.sessions and session.workspace not in self.workspaces

    @property
    def touched(self) -> list[str]:
        """The workspaces in which anything is: their counts of words tell of it."""
        return sorted(self.workspaces | {each.workspace for each in self.sessions})

    @property
    def elsewhere(self) -> Rows:
        """The rows of all other workspaces."""
        return Rows("t.tenant <> ALL ($1::text[])", (self.touched,))


async def erasing_after(dsn: str, position: int) -> Erasing:
    """Find what began to be erased by now and did not end up to a position.

    To be asked after the events were read: a key that was gone by then was destroyed
    after a begin that is in the log.
    """
    db = await asyncpg.connect(dsn)
    try:
        rows = await db.fetch(_UNDER_WAY, position, _BEGINS, _ENDS)
    finally:
        await db.close()
    sessions, workspaces = set(), set()
    for row in rows:
        if row["stream"] == workspace_stream(row["tenant"]).name:
            workspaces.add(row["tenant"])
        else:
            sessions.add(session_of(row["stream"], row["tenant"]))
    return Erasing(frozenset(sessions), frozenset(workspaces))
