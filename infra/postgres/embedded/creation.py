"""Make a new cluster beside its final place and move it there when it is whole."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from infra.postgres.embedded.binaries import Binaries
from infra.postgres.embedded.errors import PostgresRefused
from infra.postgres.embedded.folder import DataFolder
from infra.postgres.embedded.identity import Identity

OWNER: Final = "palimpsest"
_DRAFT: Final = "postgres.new-"

# Any process that can open the socket may be any user: its 0700 folder is the guard.
# `peer` would compare account names, which a user namespace changes.
_OPTIONS: Final = (
    f"--username={OWNER}",
    "--auth-local=trust",
    "--auth-host=reject",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
    "--no-instructions",
)


async def create_cluster(
    folder: DataFolder, binaries: Binaries, identity: Identity, bound: float
) -> None:
    """Run `initdb`, which flushes what it wrote, and rename the result into place.

    A kill at any moment leaves either no cluster or a whole one; drafts of earlier
    attempts are removed. Raises `PostgresRefused` after `bound` seconds.
    """
    with folder.writing():
        for draft in folder.path.glob(_DRAFT + "*"):
            shutil.rmtree(draft, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=folder.path))
        identity.give(draft)
        log = folder.open_log()
    before = folder.log.stat().st_size
    try:
        command = [binaries.initdb, f"--pgdata={draft}", *_OPTIONS]
        code = await _finish(identity.spawn(command, log), bound)
        if code != 0:
            raise PostgresRefused("initdb failed", folder.log_lines(before))
        with folder.writing():
            draft.rename(folder.cluster)
            _flush(folder.path)
    finally:
        os.close(log)
        shutil.rmtree(draft, ignore_errors=True)


async def _finish(process: subprocess.Popen[bytes], bound: float) -> int | None:
    """Wait for the end of a program; at the deadline or a cancellation kill it."""
    deadline = time.monotonic() + bound
    try:
        while process.poll() is None:
            if time.monotonic() >= deadline:
                break
            await asyncio.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    return process.returncode


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
