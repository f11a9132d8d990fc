"""Our own note of the running server: who it is and where its socket lies."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from infra.postgres.embedded.address import ClusterAddress
from infra.postgres.embedded.folder import DataFolder
from infra.postgres.embedded.processes import RunningProcess


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """The content of `postgres.pid` in the data folder."""

    process: RunningProcess
    address: ClusterAddress

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read the note; a missing or damaged one is no note."""
        try:
            raw = json.loads(path.read_text())
            return cls(
                RunningProcess(**raw["process"]), ClusterAddress(**raw["address"])
            )
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write(self, path: Path) -> None:
        """Replace the note in one step, readable by its owner only."""
        draft = path.with_name(path.name + ".new")
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(self), file)
        draft.replace(path)


def running_cluster(data: Path) -> ClusterAddress | None:
    """Give the address of the server that runs on this data folder, if one does.

    For commands beside a running server (`status`, `trace`): it starts nothing and
    takes no lock.
    """
    folder = DataFolder(data)
    record = ClusterRecord.read(folder.record)
    if record is None or not record.process.alive:
        return None
    # A copied folder carries the note of its original's server.
    if record.process.is_postmaster_of(folder.cluster) is False:
        return None
    return record.address
