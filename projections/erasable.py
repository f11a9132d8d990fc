"""Takes out of any view what is erased: its rows go, whatever the view shows."""

import re
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import msgspec

from domain.conclusion import EVIDENCE_ERASED, ConclusionRetracted
from domain.erasure import SessionErased, WorkspaceErased
from domain.event import Event
from domain.recorded import Recorded
from projections.ports import Connection
from projections.projection import Projection

ENDS: tuple[type[Event], ...] = (SessionErased, WorkspaceErased, ConclusionRetracted)
"""The events that may erase; whose rows are told by position, in whatever shard."""


_ENDING = frozenset(ENDS)


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What is erased at a position: a conclusion, else a session, else a workspace.

    ``origin`` is the id the conclusion was derived under.
    """

    tenant: str
    session: str | None = None
    origin: str | None = None
    position: int


@runtime_checkable
class Forgetful(Protocol):
    """A projection that takes out by itself what is erased."""

    async def erase(self, db: Connection, erased: Erased) -> None: ...


class Erasable:
    """A projection whose batches are cut where something is erased.

    What came before is folded, then the rows go that tell of it, then what follows is
    folded; so that live and rebuilt views agree. Rows are told by the columns
    ``tenant``, ``session``, and ``origin`` or ``conclusion``; a projection for which
    that is not enough has a method ``erase``. ``projection`` is what is wrapped.
    """

    def __init__(self, projection: Projection) -> None:
        self.name = projection.name
        self.version = projection.version
        self.tables = projection.tables
        self.indexes = projection.indexes
        self.commutes = getattr(projection, "commutes", False)
        self.together = getattr(projection, "together", ())
        self.projection = projection
        self.unused = getattr(projection, "unused", ())
        self.handles: tuple[type[Event], ...] = tuple(
            dict.fromkeys((*projection.handles, *ENDS))
        )
        self._folds = frozenset(projection.handles)
        self._named = re.findall(r"CREATE TABLE (\w+)", projection.tables)

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        """Fold what is between erasures, and take out what each erases."""
        piece: list[Recorded] = []
        for recorded in batch:
            kind = type(recorded.event)  # of an exact type: isinstance is slower by far
            erased = _erased(recorded) if kind in _ENDING else None
            if erased is not None:
                await self._fold(db, piece)
                piece = []
                await self._erase(db, erased)
            elif kind in self._folds:
                piece.append(recorded)
        await self._fold(db, piece)

    async def _fold(self, db: Connection, piece: Sequence[Recorded]) -> None:
        if piece:
            await self.projection.apply(db, piece)

    async def _erase(self, db: Connection, erased: Erased) -> None:
        if isinstance(self.projection, Forgetful):
            await self.projection.erase(db, erased)
            return
        for table in self._named:
            await delete_rows(db, table, erased)


async def delete_rows(db: Connection, table: str, erased: Erased) -> None:
    """Delete the rows of a table that tell of what is erased, and of nothing since."""
    rows = await db.fetch(_COLUMNS, table)
    columns = {row["attname"] for row in rows}
    told = _told(columns, erased)
    if told is None:
        return
    since = next((each for each in _POSITIONS if each in columns), None)
    before = "TRUE" if since is None else f"{since} < $3"
    await db.execute(
        f"DELETE FROM {table} WHERE tenant = $1 AND $2::text IS NOT NULL"  # noqa: S608  names of the catalogue
        f" AND $3::bigint > 0 AND {told[0]} AND {before}",
        erased.tenant,
        told[1],
        erased.position,
    )


_POSITIONS = ("from_position", "position", "folded")

_COLUMNS = """
    SELECT a.attname::text AS attname FROM pg_attribute AS a
    WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
"""


def _told(columns: set[str], erased: Erased) -> tuple[str, str] | None:
    """Return the condition that tells the rows, and its argument; None if none do."""
    if "tenant" not in columns:
        return None
    if erased.origin is not None:
        named = next((c for c in ("origin", "conclusion") if c in columns), None)
        return None if named is None else (f"{named} = $2", erased.origin)
    if erased.session is None:
        return "TRUE", ""
    return ("session = $2", erased.session) if "session" in columns else None


def _erased(recorded: Recorded) -> Erased | None:
    tenant, position = recorded.tenant, recorded.position
    match recorded.event:
        case SessionErased(session=session):
            return Erased(tenant=tenant, session=session, position=position)
        case WorkspaceErased():
            return Erased(tenant=tenant, position=position)
        case ConclusionRetracted(id=origin, reason=reason) if reason == EVIDENCE_ERASED:
            return Erased(tenant=tenant, origin=origin, position=position)
        case _:
            return None
