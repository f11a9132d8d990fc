"""Members of sessions: who takes part, observes and is observed, and when."""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec

from domain.recorded import Recorded
from domain.session import PeerJoined, PeerLeft, PeerRoleChanged
from projections.as_of import NOW, holding, recorded_by
from projections.columns import as_utc
from projections.condition import Bind
from projections.intervals import Intervals, Values
from projections.ports import Connection, Row


class Members:
    """The table ``member``: one row for each state a membership was in."""

    name = "members"
    version = 1
    tables = """
        CREATE TABLE member (
            tenant         text COLLATE "C" NOT NULL,
            session        text COLLATE "C" NOT NULL,
            peer           text COLLATE "C" NOT NULL,
            observe_me     boolean,
            observe_others boolean,
            joined_at      timestamptz NOT NULL,
            left_at        timestamptz,
            active         boolean NOT NULL,
            from_position  bigint NOT NULL,
            to_position    bigint,
            PRIMARY KEY (tenant, session, peer, from_position)
        );
    """
    indexes = """
        CREATE UNIQUE INDEX member_current ON member (tenant, session, peer)
            WHERE to_position IS NULL;
        CREATE INDEX member_peer ON member (tenant, peer, from_position);
    """
    handles = (PeerJoined, PeerLeft, PeerRoleChanged)

    def __init__(self) -> None:
        self._rows = Intervals(
            "member",
            key={"tenant": "text", "session": "text", "peer": "text"},
            values={
                "observe_me": "boolean",
                "observe_others": "boolean",
                "joined_at": "timestamptz",
                "left_at": "timestamptz",
                "active": "boolean",
            },
            births=(PeerJoined,),
        )

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        key = {"tenant": "workspace", "session": "session", "peer": "peer"}
        await self._rows.fold(db, batch, key, _step)


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One peer's membership of one session; an unset flag is None (HC 5.3)."""

    session: str
    peer: str
    observe_me: bool | None
    observe_others: bool | None
    joined_at: datetime
    left_at: datetime | None
    active: bool


class Presence(msgspec.Struct, frozen=True):
    """Since when a peer is in a session, and until when if it has left."""

    session: str
    since: datetime
    until: datetime | None


async def get_presence(
    db: Connection, tenant: str, peer: str, as_of: int = NOW
) -> list[Presence]:
    """Return when a peer was last in each of its sessions, as it stood at a position.

    Whoever says something has joined anew (HC 2.3): no event says so, the newest
    message does.
    """
    bind = Bind(tenant, peer)
    statement = _PRESENCE.format(
        said=recorded_by(as_of, "s.position")(bind), there=holding(as_of, "j")(bind)
    )
    rows = await db.fetch(statement, *bind.values)
    return [Presence(row["session"], row["since"], row["until"]) for row in rows]


_PRESENCE = """
    SELECT j.session, greatest(j.joined_at, s.came_at) AS since, j.left_at AS until
    FROM member AS j
    LEFT JOIN LATERAL (
        SELECT s.came_at FROM message AS s
        WHERE s.tenant = j.tenant AND s.session = j.session AND s.peer = j.peer
            AND {said}
        ORDER BY s.seq DESC LIMIT 1
    ) AS s ON TRUE
    WHERE j.tenant = $1 AND j.peer = $2 AND {there}
"""

_COLUMNS = (
    "session, peer, observe_me, observe_others, joined_at, left_at, active"  # of Member
)


async def get_member(
    db: Connection, tenant: str, session: str, peer: str, as_of: int = NOW
) -> Member | None:
    """Return a membership, active or ended, as it stood at a position."""
    bind = Bind(tenant, session, peer)
    row = await db.fetchrow(
        f"SELECT {_COLUMNS} FROM member"  # noqa: S608  every value is bound
        " WHERE tenant = $1 AND session = $2 AND peer = $3"
        f" AND {holding(as_of)(bind)}",
        *bind.values,
    )
    return _member(row) if row is not None else None


async def takes_part_in_all(
    db: Connection, tenant: str, peer: str, sessions: Collection[str]
) -> bool:
    """Tell whether a peer is an active member of each of these sessions now."""
    named = set(sessions)
    found: int = await db.fetchval(
        "SELECT count(*) FROM member WHERE tenant = $1 AND peer = $2"
        " AND session = ANY($3) AND active AND to_position IS NULL",
        tenant,
        peer,
        list(named),
    )
    return found == len(named)


def _step(before: Values | None, recorded: Recorded) -> Values | None:
    match recorded.event:
        case PeerJoined() as event:
            return {
                "observe_me": event.observe_me,
                "observe_others": event.observe_others,
                "joined_at": as_utc(event.joined_at),
                "left_at": None,
                "active": True,
            }
        case PeerRoleChanged() as event:
            been = {
                "joined_at": as_utc(recorded.recorded_at),
                "left_at": None,
                "active": True,
            }
            return {
                **(before or been),
                "observe_me": event.observe_me,
                "observe_others": event.observe_others,
            }
        case PeerLeft() as event if before is not None:
            return {**before, "left_at": as_utc(event.left_at), "active": False}
        case _:
            return None


def _member(row: Row) -> Member:
    return Member(
        session=row["session"],
        peer=row["peer"],
        observe_me=row["observe_me"],
        observe_others=row["observe_others"],
        joined_at=row["joined_at"],
        left_at=row["left_at"],
        active=row["active"],
    )
