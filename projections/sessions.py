"""Sessions, as they stand and as they stood."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from domain.erasure import SessionDeleted
from domain.recorded import Recorded
from domain.session import SessionConfigured, SessionCreated
from projections.as_of import NOW, holding
from projections.columns import as_json, as_utc
from projections.condition import Bind
from projections.intervals import Intervals, Values
from projections.ports import Connection, Row


class Sessions:
    """The table ``session``: one row for each state a session was in."""

    name = "sessions"
    version = 2
    tables = """
        CREATE TABLE session (
            tenant        text COLLATE "C" NOT NULL,
            session       text COLLATE "C" NOT NULL,
            uid           text COLLATE "C" NOT NULL,
            metadata      jsonb NOT NULL,
            configuration jsonb NOT NULL,
            created_at    timestamptz NOT NULL,
            is_active     boolean NOT NULL,
            from_position bigint NOT NULL,
            to_position   bigint,
            PRIMARY KEY (tenant, session, from_position)
        );
    """
    indexes = """
        CREATE UNIQUE INDEX session_current ON session (tenant, session)
            WHERE to_position IS NULL;
        CREATE INDEX session_age ON session (tenant, created_at, uid)
            WHERE to_position IS NULL;
        CREATE INDEX session_metadata ON session USING gin (metadata jsonb_path_ops)
            WHERE to_position IS NULL;
    """
    handles = (SessionCreated, SessionConfigured, SessionDeleted)

    def __init__(self) -> None:
        self._rows = Intervals(
            "session",
            key={"tenant": "text", "session": "text"},
            values={
                "uid": "text",
                "metadata": "jsonb",
                "configuration": "jsonb",
                "created_at": "timestamptz",
                "is_active": "boolean",
            },
            births=(SessionCreated,),
        )

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        key = {"tenant": "workspace", "session": "session"}
        await self._rows.fold(db, batch, key, _step)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One session; ``id`` is the public name, ``uid`` the opaque one."""

    id: str
    uid: str
    workspace: str
    metadata: dict[str, Any]
    configuration: dict[str, Any]
    created_at: datetime
    is_active: bool


_COLUMNS = "tenant, session, uid, metadata, configuration, created_at, is_active"


async def get_session(
    db: Connection, tenant: str, session: str, as_of: int = NOW
) -> Session | None:
    """Return a session as it stood at a position, None if there was none."""
    bind = Bind(tenant, session)
    row = await db.fetchrow(
        f"SELECT {_COLUMNS} FROM session"  # noqa: S608  every value is bound
        f" WHERE tenant = $1 AND session = $2 AND {holding(as_of)(bind)}",
        *bind.values,
    )
    return session_of(row) if row is not None else None


async def has_active_sessions(db: Connection, tenant: str) -> bool:
    """Tell whether a workspace has a session that is not deleted, as it stands."""
    found: bool = await db.fetchval(
        "SELECT EXISTS (SELECT FROM session"
        " WHERE tenant = $1 AND to_position IS NULL AND is_active)",
        tenant,
    )
    return found


def session_of(row: Row) -> Session:
    """Read a session from a row with all columns of the table but the positions."""
    return Session(
        id=row["session"],
        uid=row["uid"],
        workspace=row["tenant"],
        metadata=msgspec.json.decode(row["metadata"]),
        configuration=msgspec.json.decode(row["configuration"]),
        created_at=row["created_at"],
        is_active=row["is_active"],
    )


def _step(before: Values | None, recorded: Recorded) -> Values | None:
    match recorded.event:
        case SessionCreated() as event:
            return {
                "uid": event.uid,
                "metadata": as_json(event.metadata),
                "configuration": as_json(event.configuration),
                "created_at": as_utc(event.created_at),
                "is_active": True,
            }
        case SessionConfigured() as event if before is not None:
            return {
                **before,
                "metadata": as_json(event.metadata),
                "configuration": as_json(event.configuration),
            }
        case SessionDeleted() if before is not None:
            return {**before, "is_active": False}
        case _:
            return None
