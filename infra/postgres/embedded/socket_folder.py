"""The short-lived private folder in which a server's socket lies."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final

from infra.postgres.embedded.errors import PostgresRefused
from infra.postgres.embedded.identity import Identity

# The kernel's limit for a socket's path is 107 bytes on Linux, 103 elsewhere.
_PATH_LIMIT: Final = 103
_PREFIX: Final = "palimpsest-"


def make_socket_folder(identity: Identity, port: int) -> str:
    """Make a 0700 folder with a short path and a random name, new for each start.

    `XDG_RUNTIME_DIR` is no place for it: it goes away when the user logs out.
    """
    for place in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - mkdtemp: 0700, random
        longest = f"{place}/{_PREFIX}xxxxxxxx/.s.PGSQL.{port}"
        if len(os.fsencode(longest)) <= _PATH_LIMIT and os.access(place, os.W_OK):
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
            identity.give(folder)
            return str(folder)
    raise PostgresRefused("no short folder for its socket; set TMPDIR to one")


def remove_socket_folder(place: str, port: int) -> None:
    """Remove the folder of a server that is gone, and in it only what was its own."""
    folder = Path(place)
    if not folder.name.startswith(_PREFIX):
        return
    name = f".s.PGSQL.{port}"
    with contextlib.suppress(OSError):
        folder.joinpath(name).unlink(missing_ok=True)
        folder.joinpath(name + ".lock").unlink(missing_ok=True)
        folder.rmdir()
