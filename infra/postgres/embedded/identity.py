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

_USUAL_UID: Final = 1000
_ACCOUNTS: Final = ("palimpsest", "postgres", "nobody")


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


# SIGINT is the fast shutdown: sessions end, everything committed is flushed.
_DIE_WITH_US: Final = ("setpriv", "--pdeathsig=INT")


def choose_identity(binaries: Binaries, cluster: Path) -> Identity:
    """Find a way that works here, by running `postgres --version` with it.

    Not root: directly. Root: as the owner of an existing cluster if that is an account,
    else in a user namespace, else (first start) as a system account (architecture 6).
    Raises `PostgresRefused` when no way works.
    """
    for candidate in _candidates(cluster):
        mortal = replace(candidate, prefix=(*candidate.prefix, *_DIE_WITH_US))
        for identity in (mortal, candidate):
            if _works(identity, binaries):
                return identity
    raise PostgresRefused(
        "its programs cannot be run by this user"
        if os.geteuid()
        else "root may neither make a user namespace nor run it as a system account"
    )


def _candidates(cluster: Path) -> Iterator[Identity]:
    if os.geteuid() != 0:
        yield Identity()
        return
    owner = cluster.stat() if cluster.exists() else None
    if owner is not None and owner.st_uid != 0:
        yield Identity(uid=owner.st_uid, gid=owner.st_gid)
        return
    if shutil.which("unshare"):
        uid = _known_uid()
        yield Identity(("unshare", "--user", f"--map-user={uid}", f"--map-group={uid}"))
    if owner is None:
        for name in _ACCOUNTS:
            with contextlib.suppress(KeyError):
                account = pwd.getpwnam(name)
                yield Identity(uid=account.pw_uid, gid=account.pw_gid)


def _known_uid() -> int:
    """Give a uid to appear as; `initdb` insists that it has a name on this system."""
    others = sorted(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0)
    return _USUAL_UID if _USUAL_UID in others or not others else others[0]


def _works(identity: Identity, binaries: Binaries) -> bool:
    try:
        probe = identity.spawn([binaries.postgres, "--version"], subprocess.DEVNULL)
    except OSError:
        return False
    try:
        return probe.wait(timeout=10) == 0
    except subprocess.TimeoutExpired:
        probe.kill()
        probe.wait()
        return False
