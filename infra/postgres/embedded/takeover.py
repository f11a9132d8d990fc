"""Clear what an earlier server left on this data folder when it was killed."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from infra.postgres.embedded.folder import DataFolder
from infra.postgres.embedded.processes import RunningProcess
from infra.postgres.embedded.record import ClusterRecord
from infra.postgres.embedded.shutdown import shut_down
from infra.postgres.embedded.socket_folder import remove_socket_folder

_LOCK_FILE: Final = "postmaster.pid"


async def take_over(folder: DataFolder, bound: float) -> None:
    """Stop an orphaned postmaster of this folder and remove stale traces.

    The caller holds the folder's lock, so no living supervisor is behind it. Two notes
    name the orphan, ours and Postgres' own; a process is stopped only if it is proven
    to be the postmaster of this very folder, never because of its pid.
    """
    traces = [trace for trace in (_Trace.ours(folder), _Trace.locked(folder)) if trace]
    for trace in traces:
        if trace.process and trace.process.is_postmaster_of(folder.cluster):
            await shut_down(trace.process, bound)
        # Alive still, it serves the folder that this one was copied from.
        if trace.process is None or not trace.process.alive:
            remove_socket_folder(trace.socket_folder, trace.port)
    _unlock(folder)
    with folder.writing():
        folder.record.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Trace:
    """A server that a file names; `process` is None when it is gone."""

    process: RunningProcess | None
    socket_folder: str
    port: int

    @classmethod
    def ours(cls, folder: DataFolder) -> Self | None:
        record = ClusterRecord.read(folder.record)
        if record is None:
            return None
        process = record.process if record.process.alive else None
        return cls(process, record.address.host, record.address.port)

    @classmethod
    def locked(cls, folder: DataFolder) -> Self | None:
        """Read Postgres' lock file: pid, data folder, start, port, socket folder."""
        with contextlib.suppress(OSError, ValueError):
            pid, _, _, port, place, *_ = _lock_lines(folder.cluster)
            return cls(RunningProcess.find(int(pid)), place, int(port))
        return None


def _lock_lines(cluster: Path) -> list[str]:
    return (cluster / _LOCK_FILE).read_text().splitlines()


def _unlock(folder: DataFolder) -> None:
    """Remove a lock file unless its pid is, or may be, a postmaster of this folder.

    Postgres judges stale lock files itself, but refuses to start if the pid lives on
    as any process of the same account, or as a zombie that nobody collects: both are
    common in containers. The shared memory block, keyed by the folder, still guards
    against backends that outlive their postmaster.
    """
    locked = _Trace.locked(folder)
    process = locked.process if locked else None
    if process is None or process.is_postmaster_of(folder.cluster) is False:
        with folder.writing():
            (folder.cluster / _LOCK_FILE).unlink(missing_ok=True)
