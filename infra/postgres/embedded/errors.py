"""Why an embedded Postgres did not start: each error is one line for a person."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_FAILURE: Final = re.compile(r"FATAL|PANIC|error:")


class EmbeddedPostgresError(Exception):
    """The embedded Postgres cannot be used; `str()` is one line that says why."""


class DataFolderInUse(EmbeddedPostgresError):  # noqa: N818 - the name says what is
    """Another server holds the lock of this data folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"the data folder {folder} is in use by another server")
        self.folder = folder


class DataFolderNewer(EmbeddedPostgresError):  # noqa: N818 - the name says what is
    """The data folder was written by a newer version; nothing in it was changed."""

    def __init__(self, folder: Path, *, what: str, found: str, known: int) -> None:
        super().__init__(
            f"the data folder {folder} is newer than this program: "
            f"its {what} is {found}, known is {known}"
        )
        self.folder = folder


class DataFolderUnwritable(EmbeddedPostgresError):  # noqa: N818 - the name says what is
    """The data folder cannot be made, entered or written."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"the data folder {folder} cannot be written: {reason}")
        self.folder = folder


class PostgresRefused(EmbeddedPostgresError):  # noqa: N818 - the name says what is
    """Postgres would not start; `log_lines` are the last ones of its own log."""

    def __init__(self, reason: str, log_lines: Sequence[str] = ()) -> None:
        super().__init__(f"the embedded Postgres did not start: {reason}")
        self.log_lines = tuple(log_lines)

    def __str__(self) -> str:
        """Add the line that names the failure; a later one may only say good-bye."""
        telling = [line for line in self.log_lines if _FAILURE.search(line)]
        last = (telling or self.log_lines)[-1:]
        return ", ".join((super().__str__(), *last))


class PostgresEnded(EmbeddedPostgresError):  # noqa: N818 - the name says what is
    """Postgres ended though nobody here asked it to; what it committed is safe."""

    def __init__(self, code: int) -> None:
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        super().__init__(
            f"the embedded Postgres was ended {how}; what was acknowledged is safe, "
            "the next start goes on from there"
        )
