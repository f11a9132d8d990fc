"""Two servers on one Postgres, each a whole ``palimpsest up``."""

import asyncio
import base64
import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import asyncpg

from infra.master_key import MasterKey
from infra.postgres.embedded import ClusterAddress
from tests.support.law_beside import LawBeside
from tests.support.member import Member
from tests.support.ports import free_port
from tests.support.server import READY_WITHIN

_KEY = bytes(range(32))


class Pair:
    """Both servers, and the database they share."""

    def __init__(self, dsn: str, servers: tuple[Member, Member]) -> None:
        self.dsn = dsn
        self.servers = servers

    @property
    def urls(self) -> tuple[str, str]:
        one, other = self.servers
        return one.url, other.url

    def start(self) -> None:
        """Start both side by side, and wait until both are ready."""
        for each in self.servers:
            each.launch()
        deadline = time.monotonic() + READY_WITHIN
        for each in self.servers:
            while not each.ready:
                well = each.alive and time.monotonic() < deadline
                assert well, each.said()[-4000:]
                time.sleep(0.02)

    def stop(self) -> None:
        """Ask both to stop; both must end well."""
        codes = {each.name: each.stop() for each in self.servers}
        assert set(codes.values()) == {0}, codes

    def said(self) -> str:
        return "\n".join(each.said() for each in self.servers)

    def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Ask the database itself."""
        return asyncio.run(_fetch(self.dsn, query, *arguments))

    def check_law(self) -> None:
        """Views rebuilt from the log equal live ones, once what is erased is gone."""
        asyncio.run(LawBeside().check_at(self.dsn, MasterKey(_KEY)))


@contextlib.contextmanager
def running_pair(
    postgres: ClusterAddress,
    folder: Path,
    *told: Mapping[str, str],
) -> Iterator[Pair]:
    """Two ready servers on a database of their own, gone at the end.

    ``told`` is what both are told, or what one is and what the other.
    """
    name = f"pair_{uuid4().hex[:12]}"
    asyncio.run(_execute(postgres.dsn(), f"CREATE DATABASE {name}"))
    dsn = postgres.at(name).dsn()
    settings = (*told, *told, {}, {})[:2]
    servers = [_member(dsn, folder, n, each) for n, each in enumerate(settings)]
    pair = Pair(dsn, (servers[0], servers[1]))
    try:
        pair.start()
        yield pair
        pair.stop()
    finally:
        for each in servers:
            each.kill()
        asyncio.run(_execute(postgres.dsn(), f"DROP DATABASE {name} WITH (FORCE)"))


def _member(dsn: str, folder: Path, number: int, settings: Mapping[str, str]) -> Member:
    name = f"up-{number}"
    port = free_port()
    environment = {
        "DB_CONNECTION_URI": dsn,
        "KEYS_MASTER_KEY": base64.b64encode(_KEY).decode(),
        "XDG_DATA_HOME": str(folder / "home"),
        **settings,
    }
    log = folder / f"{name}.log"
    return Member(name, ("up", "--port", str(port)), environment, log, port)


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _fetch(dsn: str, query: str, *arguments: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        rows: list[asyncpg.Record] = await connection.fetch(query, *arguments)
    finally:
        await connection.close()
    return rows
