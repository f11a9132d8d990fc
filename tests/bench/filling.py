"""A log of so many messages, appended and sealed as the server's own, without one."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.event import Event
from domain.names import Stream, peer_stream, session_stream, workspace_stream
from domain.peer import PeerCreated
from domain.recorded import Cause
from domain.session import MessageAdded, PeerJoined, SessionCreated
from domain.workspace import WorkspaceCreated
from infra.postgres.log import PostgresLog

WORKSPACE = "growth"
LONG = 1_000
"""Messages of a session, when it is full."""

START = datetime(2026, 1, 1, tzinfo=UTC)
_PEERS = ("alice", "bob")
_BATCH = 100
_CALLERS = 16
_WORDS = [
    "river",
    "mill",
    "harbour",
    "meadow",
    "library",
    "tower",
    "garden",
    "market",
    "pears",
    "chess",
    "rain",
    "opera",
    "maps",
    "ferries",
    "poppies",
    "tea",
    "bread",
    "winter",
    "letters",
    "windows",
    "bicycle",
    "lantern",
]


def text(number: int) -> str:
    """About twenty words; every message's are others."""
    words = (_WORDS[(number * k + k * k) % len(_WORDS)] for k in range(1, 16))
    return f"Number {number} tells of {' '.join(words)}."


async def open_workspace(log: PostgresLog) -> None:
    """Make the workspace and its two peers."""
    created = WorkspaceCreated(workspace=WORKSPACE, uid="w", created_at=START)
    await append(log, workspace_stream(WORKSPACE), [created])
    for peer in _PEERS:
        event = PeerCreated(workspace=WORKSPACE, peer=peer, uid=peer, created_at=START)
        await append(log, peer_stream(WORKSPACE, peer), [event])


async def add_messages(
    log: PostgresLog,
    first: int,
    last: int,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Say messages ``first``..``last`` - 1, ``LONG`` to a session, 100 to an append.

    Both must be multiples of ``LONG``: a session's are appended in order.
    """
    sessions = iter(range(first // LONG, last // LONG))

    async def call() -> None:
        for number in sessions:
            stream = session_stream(WORKSPACE, f"s{number}")
            await append(log, stream, list(_opened(number)))
            for start in range(0, LONG, _BATCH):
                said = [message(number, seq) for seq in range(start, start + _BATCH)]
                await append(log, stream, said)
                progress(_BATCH)

    await asyncio.gather(*(call() for _ in range(_CALLERS)))


def message(session: int, seq: int) -> MessageAdded:
    """Make one message, which asks for no reasoning."""
    number = session * LONG + seq
    return MessageAdded(
        workspace=WORKSPACE,
        session=f"s{session}",
        id=f"{number:021d}",
        seq=seq + 1,
        author=_PEERS[seq % 2],
        created_at=START + timedelta(seconds=number),
        tokens=30,
        content=text(number),
        derive=False,
    )


def _opened(session: int) -> Iterator[Event]:
    named = {"workspace": WORKSPACE, "session": f"s{session}"}
    yield SessionCreated(**named, uid=f"s{session}", created_at=START)
    for peer in _PEERS:
        yield PeerJoined(**named, peer=peer, joined_at=START)


async def append(log: PostgresLog, stream: Stream, events: Sequence[Event]) -> None:
    """Append to one stream, wherever it stands."""
    appends = (StreamAppend(stream, ANY, tuple(events)),)
    cause = Cause(actor="client", correlation_id=uuid4())
    await log.store.append(AppendRequest(WORKSPACE, appends, cause))
