"""The supervisor: one Postgres server on one data folder, started and stopped."""

import asyncio
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import asyncpg

from infra.postgres.embedded.address import ClusterAddress
from infra.postgres.embedded.binaries import Binaries
from infra.postgres.embedded.creation import OWNER, create_cluster
from infra.postgres.embedded.errors import PostgresRefused
from infra.postgres.embedded.folder import DataFolder
from infra.postgres.embedded.identity import Identity, choose_identity
from infra.postgres.embedded.processes import RunningProcess
from infra.postgres.embedded.record import ClusterRecord
from infra.postgres.embedded.settings import SETTINGS
from infra.postgres.embedded.shutdown import shut_down
from infra.postgres.embedded.socket_folder import (
    make_socket_folder,
    remove_socket_folder,
)
from infra.postgres.embedded.takeover import take_over

_DATABASE: Final = "palimpsest"
_PORT: Final = int(SETTINGS["port"])
_STEP: Final = 0.01
_PAUSE: Final = 0.2
_WATCH: Final = 0.1
# What Postgres says while backends of a killed postmaster are still leaving.
_LEAVING: Final = "shared memory block"


class EmbeddedPostgres:
    """A Postgres 18 with pgvector of our own, reachable by a private Unix socket.

    `start_timeout` (seconds) bounds silence, not recovery: it counts from the last line
    in the server's log, and a recovery reports there every 10 s. `stop_timeout` bounds
    the whole stop. `settings` override `SETTINGS`.
    """

    def __init__(
        self,
        data: Path,
        *,
        start_timeout: float = 60,
        stop_timeout: float = 8,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = DataFolder(data)
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout
        self._settings = SETTINGS | dict(settings or {})
        self._lock: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._address: ClusterAddress | None = None
        self._log_start = 0

    @property
    def alive(self) -> bool:
        """Whether the server process that this object started still runs."""
        return self._child is not None and self._child.poll() is None

    async def ended(self) -> int:
        """Wait until the server process is gone; return its exit code, or -signal."""
        if self._child is None:
            raise RuntimeError("this server was not started")
        while (code := self._child.poll()) is None:  # noqa: ASYNC110  a process's end
            await asyncio.sleep(_WATCH)
        return code

    async def start(self) -> ClusterAddress:
        """Make the cluster if there is none, start it, wait until it answers queries.

        Takes over what an earlier kill left. Raises an `EmbeddedPostgresError`; then,
        as after a cancellation, nothing is left running.
        """
        if self._lock is not None:
            raise RuntimeError("this server was already started")
        self._folder.refuse_newer()
        self._lock = self._folder.claim()
        try:
            return await self._launch()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the server and release the data folder; again and again is harmless."""
        child = self._child
        if child is not None and child.poll() is None:
            process = RunningProcess.find(child.pid)
            if process is not None:
                await shut_down(process, self._stop_timeout)
            child.poll()
        if self._address is not None:
            remove_socket_folder(self._address.host, _PORT)
            self._folder.record.unlink(missing_ok=True)
        if self._lock is not None:
            os.close(self._lock)
        self._child = self._address = self._lock = None

    async def _launch(self) -> ClusterAddress:
        binaries = Binaries.find()
        await take_over(self._folder, self._stop_timeout)
        identity = choose_identity(binaries, self._folder)
        if not self._folder.cluster.exists():
            await create_cluster(
                self._folder, binaries, identity, bound=self._start_timeout
            )
        socket_folder = make_socket_folder(identity, _PORT)
        address = ClusterAddress(socket_folder, _PORT, OWNER, _DATABASE)
        self._address = address
        deadline = time.monotonic() + self._start_timeout
        while not await self._came_up(binaries, identity, address):
            said = self._folder.log_lines(self._log_start)
            if time.monotonic() >= deadline or _LEAVING not in "".join(said):
                raise PostgresRefused("it ended", said)
            await asyncio.sleep(_PAUSE)
        await self._ensure_database(address)
        return address

    async def _came_up(
        self, binaries: Binaries, identity: Identity, address: ClusterAddress
    ) -> bool:
        """Spawn the server and wait: True when it is ready, False when it ended."""
        words = {"unix_socket_directories": address.host, **self._settings}
        options = [w for name in words for w in ("-c", f"{name}={words[name]}")]
        log = self._folder.open_log()
        self._log_start = os.fstat(log).st_size
        try:
            command = [binaries.postgres, "-D", str(self._folder.cluster), *options]
            self._child = identity.spawn(command, log)
        finally:
            os.close(log)
        self._note(self._child, address)
        size, silent_since = self._log_start, time.monotonic()
        while not self._ready(self._child):
            if self._child.poll() is not None:
                return False
            if (grown := self._folder.log.stat().st_size) != size:
                size, silent_since = grown, time.monotonic()
            if time.monotonic() - silent_since > self._start_timeout:
                said = self._folder.log_lines(self._log_start)
                raise PostgresRefused(f"silent for {self._start_timeout:g} s", said)
            await asyncio.sleep(_STEP)
        return True

    def _note(self, child: subprocess.Popen[bytes], address: ClusterAddress) -> None:
        """Write down whom we started, before anything else can go wrong."""
        process = RunningProcess.find(child.pid)
        if process is not None:
            with self._folder.writing():
                ClusterRecord(process, address).write(self._folder.record)

    def _ready(self, child: subprocess.Popen[bytes]) -> bool:
        """Read the state that a postmaster keeps in the eighth line of its lock file.

        Asking there, as `pg_ctl` does, leaves no refused connections in the log.
        """
        try:
            lines = (self._folder.cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return lines[:1] == [str(child.pid)] and "".join(lines[7:8]).strip() == "ready"

    async def _ensure_database(self, address: ClusterAddress) -> None:
        try:
            connection = await _connect(address)
        except asyncpg.InvalidCatalogNameError:
            connection = await _connect(address.at("postgres"))
            await connection.execute(f'CREATE DATABASE "{address.database}"')
        await connection.close()


async def _connect(address: ClusterAddress) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(address.dsn(), timeout=10)
    except OSError as error:
        raise PostgresRefused(f"its socket answers {error}") from error
