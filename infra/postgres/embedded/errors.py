"""Why an embedded Postgres did not start: each error is one line for a person."""

from collections.abc import Sequence
from pathlib import Path


class EmbeddedPostgresError(Exception):
    """The embedded Postgres cannot be used; `str()` is one line that says why."""


class DataFolderInUse(EmbeddedPostgresError):
    """Another server holds the lock of this data folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"the data folder {folder} is in use by another server")
        self.folder = folder


class DataFolderNewer(EmbeddedPostgresError):
    """The data folder was written by a newer version; nothing in it was changed."""

    def __init__(self, folder: Path, *, what: str, found: str, known: int) -> None:
        super().__init__(
            f"the data folder {folder} is newer than this program: "
            f"its {what} is {found}, known is {known}"
        )
        self.folder = folder


class DataFolderUnwritable(EmbeddedPostgresError):
    """The data folder cannot be made, entered or written."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"the data folder {folder} cannot be written: {reason}")
        self.folder = folder


class PostgresRefused(EmbeddedPostgresError):
    """Postgres would not start; `log_lines` are the last ones of its own log."""

    def __init__(self, reason: str, log_lines: Sequence[str] = ()) -> None:
        last = f": {log_lines[-1]}" if log_lines else ""
        super().__init__(f"the embedded Postgres did not start, {reason}{last}")
        self.log_lines = tuple(log_lines)
