"""Random bytes kept in a file of the data folder: made once, whole or not at all."""

import os
from pathlib import Path
from tempfile import mkstemp


def kept_secret(path: Path, length: int) -> bytes:
    """Return the bytes of a file, made (mode 0600) of random ones if there is none.

    Whoever dies while making it leaves no half a secret; of two who make it at once,
    one wins and both use it. What is there is returned as it is, of any length.

    Raises:
        OSError: the folder cannot be read or written.
    """
    if not path.exists():
        _make(path, length)
    return path.read_bytes()


def _make(path: Path, length: int) -> None:
    file, name = mkstemp(prefix=f"{path.name}.", dir=path.parent)  # mode 0600
    unfinished = Path(name)
    try:
        os.write(file, os.urandom(length))
        os.fsync(file)
    finally:
        os.close(file)
    try:
        os.link(unfinished, path)
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
