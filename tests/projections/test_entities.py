"""Workspaces, peers and sessions are shown as they stand and as they stood."""

from datetime import UTC, datetime, timedelta, timezone

from domain.peer import PeerConfigured, PeerCreated
from domain.session import SessionConfigured, SessionCreated
from domain.workspace import WorkspaceConfigured, WorkspaceCreated
from projections.peers import Peers
from projections.sessions import Sessions, get_session
from projections.workspaces import Workspaces, get_workspace
from tests.support.folding import create, fold
from tests.support.history import record

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def test_a_workspace_is_read_as_it_stood_at_any_position(db):
    views = [Workspaces()]
    await create(db, views)
    events = record(
        [
            WorkspaceCreated(
                workspace="w", uid="u", created_at=NOON, metadata={"a": [1, None]}
            ),
            WorkspaceConfigured(workspace="w", metadata={"b": 2}, configuration={}),
            WorkspaceConfigured(
                workspace="w", metadata={"b": 3}, configuration={"c": {"d": True}}
            ),
        ]
    )
    await fold(db, views, events)

    assert await get_workspace(db, "w", as_of=0) is None
    first = await get_workspace(db, "w", as_of=1)
    assert first is not None
    assert (first.metadata, first.uid) == ({"a": [1, None]}, "u")
    second = await get_workspace(db, "w", as_of=2)
    assert second is not None
    assert second.metadata == {"b": 2}
    now = await get_workspace(db, "w")
    assert now is not None
    assert (now.metadata, now.configuration) == ({"b": 3}, {"c": {"d": True}})
    assert now.created_at == NOON
    assert await get_workspace(db, "other") is None


async def test_rows_join_without_gap_or_overlap_however_events_are_cut(db):
    views = [Peers()]
    await create(db, views)
    events = record(
        [PeerCreated(workspace="w", peer="p", uid="u", created_at=NOON)]
        + [
            PeerConfigured(workspace="w", peer="p", metadata={"n": n}, configuration={})
            for n in range(5)
        ]
    )
    await fold(db, views, events[:2])
    await fold(db, views, events[1:4])
    await fold(db, views, events)
    await fold(db, views, events[:3])

    rows = await db.fetch(
        "SELECT from_position, to_position FROM peer ORDER BY from_position"
    )
    assert [tuple(row) for row in rows] == [
        *((n, n + 1) for n in range(1, 6)),
        (6, None),
    ]


async def test_a_naive_time_means_utc_and_an_offset_is_kept_as_a_moment(db):
    views = [Workspaces(), Sessions()]
    await create(db, views)
    east = timezone(timedelta(hours=5))
    await fold(
        db,
        views,
        record(
            [
                WorkspaceCreated(
                    workspace="w",
                    uid="u",
                    created_at=datetime(2026, 1, 1, 12),  # noqa: DTZ001  the point
                ),
                SessionCreated(
                    workspace="w",
                    session="s",
                    uid="v",
                    created_at=datetime(2026, 1, 1, 17, tzinfo=east),
                ),
            ]
        ),
    )
    shown = await get_workspace(db, "w")
    session = await get_session(db, "w", "s")
    assert shown is not None
    assert session is not None
    assert shown.created_at == NOON == session.created_at
    assert session.is_active


async def test_a_session_keeps_its_birth_when_it_is_configured_later(db):
    views = [Sessions()]
    await create(db, views)
    born, changed = record(
        [
            SessionCreated(workspace="w", session="s", uid="u", created_at=NOON),
            SessionConfigured(
                workspace="w",
                session="s",
                metadata={"nul": "a\x00b", "back": "\\u0000"},
                configuration={"reasoning": {"enabled": False}},
            ),
        ]
    )
    await fold(db, views, [born])
    await fold(db, views, [changed])
    session = await get_session(db, "w", "s")
    assert session is not None
    assert (session.uid, session.created_at) == ("u", NOON)
    assert session.metadata == {"nul": "a�b", "back": "\\u0000"}
    assert session.configuration == {"reasoning": {"enabled": False}}
