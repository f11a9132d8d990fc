"""A Postgres on a folder of its own that syncs what it commits; it may be killed.

Started again on the same folder it is reached at the same address: a link leads to
whichever folder its socket lies in.
"""

import asyncio
import dataclasses
import signal
from pathlib import Path

from infra.postgres.embedded import ClusterAddress, EmbeddedPostgres
from tests.support.embedded import postmaster_of

ROOM = {"max_connections": "300"}
"""Every role has pools of its own."""


class KillablePostgres:
    """See the module; ``folder`` must be short, and hold nothing else."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "postgres"
        self._link = folder / "socket"
        self._server = EmbeddedPostgres(self._data, settings=ROOM)
        self._address: ClusterAddress | None = None

    @property
    def alive(self) -> bool:
        """Whether it answers, unless it was killed this moment."""
        return self._server.alive and self._link.exists()

    @property
    def dsn(self) -> str:
        """The same before and after a kill."""
        assert self._address is not None
        return self._address.dsn()

    def start(self) -> None:
        """Start it, and let the address lead to it."""
        found = asyncio.run(self._server.start())
        draft = self._link.with_name("socket.new")
        draft.unlink(missing_ok=True)
        draft.symlink_to(found.host)
        draft.rename(self._link)
        self._address = dataclasses.replace(found, host=str(self._link))

    def kill(self) -> None:
        """Kill -9 the postmaster: its sessions end, what was committed stays."""
        postmaster_of(self._data).send(signal.SIGKILL)
        asyncio.run(self._server.ended())
        self.stop()
        self._link.unlink()

    def stop(self) -> None:
        asyncio.run(self._server.stop())

    def log(self) -> str:
        return (self._data / "postgres.log").read_text()
