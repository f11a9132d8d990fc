"""As whom Postgres runs: it refuses root, and we make no account for it."""

import contextlib
import os
import pwd
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from infra.postgres.embedded.binaries import Binaries
from infra.postgres.embedded.errors import PostgresRefused
from infra.postgres.embedded.folder import DataFolder

_USUAL_UID: Final = 1000
_ACCOUNTS: Final = ("palimpsest", "postgres", "nobody")
# SIGINT is the fast shutdown: sessions end, everything committed is flushed.
_DIE_WITH_US: Final = ("setpriv", "--pdeathsig=INT")


@dataclass(frozen=True, slots=True)
class Identity:
    """A way to start a program: words in front of it, and perhaps another account."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def spawn(self, command: Sequence[str], output: int) -> subprocess.Popen[bytes]:
        """Start the program in a session of its own, so that Ctrl-C is ours alone.

        Its environment is bare: neither `PG*` variables nor keys of providers reach it.
        """
        bare = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
        loader = os.environ.get("LD_LIBRARY_PATH")
        return subprocess.Popen(  # noqa: S603 - programs of our wheel, no shell
            [*self._words(), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=bare | ({"LD_LIBRARY_PATH": loader} if loader else {}),
            start_new_session=True,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
        )

    def give(self, folder: Path) -> None:
        """Hand over a folder that we have just made."""
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)

    def _words(self) -> tuple[str, ...]:
        """Leave out the parent-death signal where it would strike too early.

        The kernel sends it when the *thread* that started the child ends. Only the main
        thread lives as long as the process; from another one the server would rather
        be left to the next start, which takes it over.
        """
        if threading.current_thread() is threading.main_thread():
            return self.prefix
        return tuple(word for word in self.prefix if word not in _DIE_WITH_US)


def choose_identity(binaries: Binaries, folder: DataFolder) -> Identity:
    """Find a way that works here: it can enter the folder and run `postgres`.

    Not root: directly. Root: as the owner of an existing cluster if that is an account,
    else in a user namespace, else (first start) as the folder's owner or as a system
    account (architecture 6). Raises `PostgresRefused` when no way works.
    """
    for candidate in _candidates(folder):
        mortal = replace(candidate, prefix=(*candidate.prefix, *_DIE_WITH_US))
        for identity in (mortal, candidate):
            if _works(identity, binaries, folder):
                return identity
    if os.geteuid() != 0:
        raise PostgresRefused(f"its programs in {binaries.folder} cannot be run")
    raise PostgresRefused(
        f"it runs neither in a user namespace nor as a system account that may enter "
        f"both {folder.path} and {binaries.folder}"
    )


def _candidates(folder: DataFolder) -> Iterator[Identity]:
    if os.geteuid() != 0:
        yield Identity()
        return
    owner = folder.cluster.stat() if folder.cluster.exists() else None
    if owner is not None and owner.st_uid != 0:
        yield Identity(uid=owner.st_uid, gid=owner.st_gid)
        return
    if shutil.which("unshare"):
        uid = _known_uid()
        yield Identity(("unshare", "--user", f"--map-user={uid}", f"--map-group={uid}"))
    if owner is None:
        yield from _accounts(folder)


def _accounts(folder: DataFolder) -> Iterator[Identity]:
    holder = folder.path.stat()
    if holder.st_uid != 0:
        yield Identity(uid=holder.st_uid, gid=holder.st_gid)
    if folder.made:
        # Passing through is all the account needs; the cluster inside will be its own.
        folder.path.chmod(0o711)
    for name in _ACCOUNTS:
        with contextlib.suppress(KeyError):
            account = pwd.getpwnam(name)
            yield Identity(uid=account.pw_uid, gid=account.pw_gid)


def _known_uid() -> int:
    """Give a uid to appear as; `initdb` insists that it has a name on this system."""
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(_USUAL_UID).pw_uid
    named = (entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0)
    return next(named, _USUAL_UID)


def _works(identity: Identity, binaries: Binaries, folder: DataFolder) -> bool:
    attempt = 'cd -- "$1" && exec "$2" --version'
    words = ["/bin/sh", "-c", attempt, "sh", str(folder.path), binaries.postgres]
    try:
        probe = identity.spawn(words, subprocess.DEVNULL)
    except OSError:
        return False
    try:
        return probe.wait(timeout=10) == 0
    except subprocess.TimeoutExpired:
        probe.kill()
        probe.wait()
        return False
