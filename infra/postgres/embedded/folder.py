"""The data folder: its layout, its format marker and its lock."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infra.postgres.embedded.binaries import Binaries
from infra.postgres.embedded.errors import (
    DataFolderInUse,
    DataFolderNewer,
    DataFolderUnwritable,
)

FORMAT: Final = 1
_LOG_LIMIT: Final = 8 * 1024 * 1024


class DataFolder:
    """Everything an embedded server keeps. A folder we did not make keeps its mode."""

    def __init__(self, path: Path) -> None:
        # Postgres changes its working folder, so every path must be absolute.
        self.path = path.expanduser().resolve()
        self.format = self.path / "format"
        self.cluster = self.path / "postgres"
        self.log = self.path / "postgres.log"
        self.record = self.path / "postgres.pid"
        self.made = False
        self._lock = self.path / "lock"

    def refuse_newer(self) -> None:
        """Raise `DataFolderNewer` before anything is touched."""
        for file, what, known in (
            (self.format, "format", FORMAT),
            (self.cluster / "PG_VERSION", "Postgres version", Binaries.MAJOR),
        ):
            with self.writing():
                found = file.read_text().strip() if file.exists() else None
            if found is not None and not (found.isdecimal() and int(found) <= known):
                raise DataFolderNewer(self.path, what=what, found=found, known=known)

    def claim(self) -> int:
        """Make the folder if needed and lock it; the descriptor holds the lock.

        The lock dies with this process, never with the server it started: descriptors
        made by Python are not inherited. Raises `DataFolderInUse`.
        """
        with self.writing():
            if not self.path.exists():
                self.path.mkdir(parents=True, mode=0o700, exist_ok=True)
                self.made = True
            handle = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise DataFolderInUse(self.path) from None
        with self.writing():
            self._mark()
        return handle

    def open_log(self) -> int:
        """Open the server's log for appending, after moving a large one aside."""
        with self.writing():
            if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
                self.log.replace(self.log.with_name("postgres.log.1"))
            return os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def log_lines(self, since: int, count: int = 20) -> list[str]:
        """Give the last lines that the log gained after byte `since`."""
        with contextlib.suppress(OSError), self.log.open("rb") as file:
            file.seek(since)
            return file.read().decode(errors="replace").splitlines()[-count:]
        return []

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Turn what the file system refuses into `DataFolderUnwritable`."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or str(error)
            raise DataFolderUnwritable(self.path, reason) from error

    def _mark(self) -> None:
        if self.format.exists():
            return
        draft = self.format.with_name("format.new")
        with draft.open("w") as file:
            file.write(f"{FORMAT}\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.format)
