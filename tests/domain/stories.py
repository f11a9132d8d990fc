"""The one story of the domain tests: ann says hello to bob in a session of w."""

from datetime import UTC, datetime

from domain.message import Draft
from domain.peer import PeerCreated
from domain.session import MessageAdded, PeerJoined, SessionCreated
from domain.workspace import WorkspaceCreated

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def workspace_created(**fields):
    return WorkspaceCreated(workspace="w", uid="uid-w", created_at=NOON, **fields)


def peer_created(peer="ann", **fields):
    return PeerCreated(
        workspace="w", peer=peer, uid=f"uid-{peer}", created_at=NOON, **fields
    )


def session_created(**fields):
    return SessionCreated(
        workspace="w", session="s", uid="uid-s", created_at=NOON, **fields
    )


def joined(peer="ann", **fields):
    return PeerJoined(
        **{"workspace": "w", "session": "s", "peer": peer, "joined_at": NOON} | fields
    )


def draft(content="hello", **fields):
    return Draft(
        **{
            "id": "m",
            "author": "ann",
            "content": content,
            "metadata": {},
            "created_at": NOON,
            "tokens": 1,
            "derive": True,
            "short_every": 20,
            "long_every": 60,
        }
        | fields
    )


def message(seq=1, content="hello", **fields):
    return MessageAdded(
        **{
            "workspace": "w",
            "session": "s",
            "id": "m",
            "seq": seq,
            "author": "ann",
            "created_at": NOON,
            "tokens": 1,
            "content": content,
        }
        | fields
    )
