"""A migrated database for each test, and the log opened on it."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from commands.ports import ANY, AppendRequest, CommandIdentity, StreamAppend
from domain.names import Stream, session_stream
from domain.recorded import Cause
from domain.session import MessageAdded
from infra.master_key import MasterKey
from infra.postgres.embedded import ClusterAddress
from infra.postgres.log import LogSettings, PostgresLog
from infra.postgres.migrate import migrate

WORKSPACE = "team"
CAUSE = Cause(actor="client", correlation_id=UUID(int=7))


def stream_of(session: str) -> Stream:
    return session_stream(WORKSPACE, session)


def said(content: str, *, session: str = "s", seq: int = 1) -> MessageAdded:
    return MessageAdded(
        workspace=WORKSPACE,
        session=session,
        id=f"{seq:021d}",
        seq=seq,
        author="alice",
        created_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        tokens=3,
        content=content,
        metadata={"mood": "calm"},
    )


def request(
    *sessions: str,
    expected: int = ANY,
    size: int = 1,
    command: CommandIdentity | None = None,
) -> AppendRequest:
    """Ask for ``size`` messages in each session."""
    return AppendRequest(
        WORKSPACE,
        tuple(
            StreamAppend(
                stream_of(session),
                expected,
                tuple(said(f"{session} {n}", session=session) for n in range(size)),
            )
            for session in sessions
        ),
        CAUSE,
        command,
    )


@pytest.fixture(scope="session")
def migrated(postgres_address: ClusterAddress) -> str:
    """Migrate one database, to be copied for each test."""
    name = f"migrated_{uuid4().hex}"

    async def make() -> None:
        await _run(postgres_address, f'CREATE DATABASE "{name}"')
        await migrate(postgres_address.at(name).dsn())

    asyncio.run(make())
    return name


@pytest.fixture
async def log_dsn(
    postgres_address: ClusterAddress, migrated: str
) -> AsyncIterator[str]:
    address = postgres_address.at(f"log_{uuid4().hex}")
    await _run(
        postgres_address, f'CREATE DATABASE "{address.database}" TEMPLATE "{migrated}"'
    )
    yield address.dsn()
    await _run(postgres_address, f'DROP DATABASE "{address.database}" WITH (FORCE)')


@pytest.fixture
def master_key() -> MasterKey:
    return MasterKey(os.urandom(32))


@pytest.fixture
async def log(log_dsn: str, master_key: MasterKey) -> AsyncIterator[PostgresLog]:
    async with PostgresLog.open(log_dsn, master_key, LogSettings()) as opened:
        yield opened


async def _run(address: ClusterAddress, statement: str) -> None:
    connection = await asyncpg.connect(address.dsn())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
