"""A process named so that a reused pid is never taken for it."""

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_PROC: Final = Path("/proc")
_BEFORE_IT_MOVES: Final = Path("/")
_BOOT: Final = _PROC / "sys/kernel/random/boot_id"


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """A pid together with the moment it was born: the two never name another one."""

    pid: int
    birth: str

    @classmethod
    def find(cls, pid: int) -> Self | None:
        """Give the live process with this pid; a zombie counts as dead."""
        birth = _birth(pid) if pid > 1 else None
        return None if birth is None else cls(pid, birth)

    @property
    def alive(self) -> bool:
        return _birth(self.pid) == self.birth

    def send(self, number: signal.Signals) -> None:
        """Signal the process if it is still the one that was meant."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def children(self) -> list["RunningProcess"]:
        """List live processes whose parent this is; empty where there is no /proc."""
        pids = [int(entry.name) for entry in _PROC.glob("[0-9]*")]
        mine = [pid for pid in pids if _parent(pid) == self.pid]
        return [child for pid in mine if (child := RunningProcess.find(pid))]

    def is_postmaster_of(self, cluster: Path) -> bool | None:
        """Say whether this is the postmaster of that folder; None: cannot be known.

        A postmaster works inside its data folder, which the kernel tells even after
        the folder was moved, and which tells a copied folder from its original. Where
        that is hidden (another account, no /proc) the command line decides: children
        rewrite theirs, the postmaster never does.
        """
        command = _command(self.pid)
        if command is None:
            return None
        if "postgres -D " not in command:
            return False
        with contextlib.suppress(OSError):
            place = (_PROC / str(self.pid) / "cwd").readlink()
            if place != _BEFORE_IT_MOVES:
                return (_PROC / str(self.pid) / "cwd").samefile(cluster)
        return f"postgres -D {cluster} -c " in command


def _birth(pid: int) -> str | None:
    if not _PROC.joinpath("self").exists():
        return _birth_by_ps(pid)
    fields = _stat(pid)
    if fields is None or fields[0] in {"Z", "X"}:
        return None
    # Field 22 of stat: ticks since boot. The boot id makes it unique across boots.
    return f"{_BOOT.read_text().strip()}:{fields[19]}"


def _birth_by_ps(pid: int) -> str | None:
    line = _ps(pid, "stat=", "lstart=")
    if line is None or line.startswith("Z"):
        return None
    return " ".join(line.split()[1:])


def _parent(pid: int) -> int | None:
    fields = _stat(pid)
    return None if fields is None else int(fields[1])


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/<pid>/stat from the third on; the name before may hold spaces."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _command(pid: int) -> str | None:
    if not _PROC.joinpath("self").exists():
        return _ps(pid, "args=")
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return None
    return os.fsdecode(raw).replace("\0", " ")


def _ps(pid: int, *columns: str) -> str | None:
    selected = [part for column in columns for part in ("-o", column)]
    done = subprocess.run(  # noqa: S603 - fixed program, numeric argument
        ["ps", "-ww", *selected, "-p", str(pid)],  # noqa: S607 - its place differs by system
        capture_output=True,
        text=True,
        check=False,
        timeout=5,
    )
    return done.stdout.strip() or None
