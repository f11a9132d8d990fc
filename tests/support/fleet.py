"""Several processes on one Postgres and its brokers, deployed as compose runs them.

Each role is a process of its own; what ends is started again by a supervisor, as
``restart: unless-stopped`` would. Everything may be killed -9, Postgres too.
"""

import contextlib
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.killable_postgres import KillablePostgres
from tests.support.member import Member
from tests.support.ports import free_port

READY_WITHIN = 180.0
AGAIN = 0.2
"""Seconds after which what ended is started again."""

MASTER_KEY = "cGFsaW1wc2VzdCB0ZXN0cyBoYXZlIDMyIGJ5dGVzIGg="

SERVES = {"up", "api"}
"""Roles that answer more than whether they are well."""


class Fleet:
    """See the module. ``environment`` is what every process of it is told."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.postgres = KillablePostgres(folder)
        self.members: list[Member] = []
        self._told = environment
        self._leaving = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._turn = threading.RLock()

    @property
    def environment(self) -> dict[str, str]:
        """What every process is told, where the database is included."""
        return {
            "DB_CONNECTION_URI": self.postgres.dsn,
            "KEYS_MASTER_KEY": MASTER_KEY,
            "XDG_DATA_HOME": str(self.folder / "home"),
            **self._told,
        }

    @property
    def urls(self) -> list[str]:
        """Where it answers, whether or not anybody is up there now."""
        return [each.url for each in self.members if each.role in SERVES]

    def start(self, roles: Mapping[str, int]) -> None:
        """Start Postgres, migrate, and start so many of each role; all ready then."""
        self.postgres.start()
        self.run_once("migrate")
        for role, count in roles.items():
            for _ in range(count):
                self.add(role)
        self._supervisor.start()
        self.until_ready()

    def run_once(self, *arguments: str) -> str:
        """Run a command to its end and return what it said.

        Raises:
            AssertionError: it did not end well.
        """
        once = Member("once", arguments, self.environment, self.folder / "once.log")
        once.log.unlink(missing_ok=True)
        once.launch()
        assert once.process is not None
        code = once.process.wait(READY_WITHIN)
        assert code == 0, (arguments, code, once.said()[-4000:])
        return once.said()

    def add(self, role: str, **told: str) -> Member:
        """Start one more of a role."""
        number = sum(each.role == role for each in self.members) + 1
        name, port = f"{role}-{number}", free_port()
        member = Member(
            name,
            (*COMMANDS[role], "--port", str(port)),
            self.environment | told,
            self.folder / f"{name}.log",
            port,
        )
        member.launch()
        self.members.append(member)
        return member

    def of(self, role: str) -> list[Member]:
        """Those of a role that are wanted."""
        return [each for each in self.members if each.role == role and each.wanted]

    def kill_postgres(self) -> None:
        """Kill -9 it; the supervisor starts it again."""
        with self._turn:
            self.postgres.kill()

    def until_ready(self) -> None:
        """Wait until Postgres answers, and everybody says that it is well."""
        deadline = time.monotonic() + READY_WITHIN
        while not self.postgres.alive:
            assert time.monotonic() < deadline, self.postgres.log()[-2000:]
            time.sleep(0.05)
        while lacking := [m for m in self.members if m.wanted and not m.ready]:
            said = "\n".join(each.said()[-2000:] for each in lacking)
            assert time.monotonic() < deadline, said
            time.sleep(0.05)

    def stop(self) -> dict[str, int]:
        """Ask everybody to stop; return how those ended that did not end well."""
        self._leaving.set()
        if self._supervisor.is_alive():
            self._supervisor.join(120)
        codes = {each.name: each.stop() for each in self.members}
        self.postgres.stop()
        return {name: code for name, code in codes.items() if code}

    def _supervise(self) -> None:
        while not self._leaving.wait(AGAIN):
            with self._turn:
                if not self.postgres.alive:
                    self.postgres.start()
            for each in list(self.members):
                each.revive()


COMMANDS: dict[str, tuple[str, ...]] = {
    "up": ("up",),
    "api": ("api",),
    "projector": ("projector",),
    "worker": ("worker",),
    "relay": ("relay", "run"),
}


@contextlib.contextmanager
def running_fleet(
    roles: Mapping[str, int], environment: Mapping[str, str]
) -> Iterator[Fleet]:
    """A ready fleet in a folder of its own, gone at the end; all must end well."""
    folder = Path(tempfile.mkdtemp(prefix="palimpsest-fleet-"))
    fleet = Fleet(folder, environment)
    try:
        fleet.start(roles)
        yield fleet
        assert fleet.stop() == {}
    finally:
        fleet.stop()
        shutil.rmtree(folder, ignore_errors=True)
