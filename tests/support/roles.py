"""A deployment of several processes on one database, each started as a user would."""

import asyncio
import base64
import contextlib
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import asyncpg

from infra.postgres.embedded import ClusterAddress
from tests.support.command import SETTINGS
from tests.support.member import Member
from tests.support.ports import free_port
from tests.support.server import IMPATIENT, READY_WITHIN, palimpsest

KEY = base64.b64encode(bytes(range(32))).decode()
"""The master key of every deployment of the tests."""


@dataclass
class Deployment:
    """A database, and the processes that were started on it."""

    address: ClusterAddress
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
        return {
            **kept,
            **IMPATIENT,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "DB_CONNECTION_URI": self.address.dsn(),
            "KEYS_MASTER_KEY": KEY,
            # Where a data folder would be made if one were needed.
            "XDG_DATA_HOME": "/dev/null",
            **self.settings,
        }

    def run(self, *words: str, **settings: str) -> str:
        """Run a command to its end, which must be good; return its output."""
        done = subprocess.run(
            palimpsest(*words),
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self.environment | settings,
            timeout=READY_WITHIN,
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def launch(self, *words: str, **settings: str) -> Member:
        """Start a role without waiting for it."""
        name, port = f"{words[0]}-{len(self.members) + 1}", free_port()
        member = Member(
            name,
            (*words, "--port", str(port)),
            self.environment | settings,
            self.folder / f"{name}.log",
            port,
        )
        member.launch()
        self.members.append(member)
        return member

    def start(self, *words: str, **settings: str) -> Member:
        """Start a role and wait until it is ready."""
        member = self.launch(*words, **settings)
        until_ready(member)
        return member

    def stop(self) -> dict[str, int]:
        """Ask all to stop; return those that did not end well."""
        codes = {each.name: each.stop() for each in self.members}
        return {name: code for name, code in codes.items() if code}


def until_ready(member: Member) -> None:
    """Wait until a process says that it is well."""
    deadline = time.monotonic() + READY_WITHIN
    while not member.ready:
        assert member.alive, member.said()[-4000:]
        assert time.monotonic() < deadline, member.said()[-4000:]
        time.sleep(0.02)


@contextlib.contextmanager
def deployment(
    postgres: ClusterAddress, folder: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Deployment]:
    """A database of its own, dropped at the end with all that runs on it killed."""
    name = f"roles_{uuid4().hex[:12]}"
    asyncio.run(_tell(postgres, f"CREATE DATABASE {name}"))
    made = Deployment(postgres.at(name), folder, settings or {})
    try:
        yield made
    finally:
        for each in made.members:
            each.kill()
        asyncio.run(_tell(postgres, f"DROP DATABASE {name} WITH (FORCE)"))


async def _tell(address: ClusterAddress, statement: str) -> None:
    connection = await asyncpg.connect(address.dsn())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
