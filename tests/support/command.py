"""``palimpsest`` as a user runs it: a process, its exit code, what it printed."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.support.server import palimpsest

T = TypeVar("T")

WITHIN = 300.0
"""Seconds: two busy cores took 66 to begin three roles and to migrate."""
SETTINGS = (
    *("DB_", "KEYS_", "LOG_", "CORS_", "AUTH_", "LLM_", "WEBHOOK_", "CACHE_"),
    *("FEED_", "KAFKA_"),
)


@dataclass(frozen=True)
class Finished:
    """What a command left: exit code and output."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line of a refusal; anything else fails the test."""
        lines = self.err.splitlines()
        assert (self.code, len(lines), self.out) == (2, 1, ""), self
        assert lines[0].startswith("palimpsest: "), self
        return lines[0]


@dataclass
class Shell:
    """A working directory, an environment, and a temporary folder of its own."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        """Start a command without waiting for it."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(SETTINGS)}
        return subprocess.Popen(
            palimpsest(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.cwd or self.folder,
            env=kept
            | {"PYTHONPATH": str(Path(__file__).parents[2])}
            | self.environment
            | settings,
            start_new_session=True,
        )

    def run(self, *arguments: str, **settings: str) -> Finished:
        """Run a command to its end."""
        return finished(self.start(*arguments, **settings))


def finished(process: subprocess.Popen[str], within: float = WITHIN) -> Finished:
    """Wait for the end of a command."""
    try:
        out, err = process.communicate(timeout=within)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError((out, err)) from None
    return Finished(process.returncode, out, err)


def belonging_to(folder: Path) -> list[int]:
    """Processes that work in this folder, or were started for it."""
    name = os.fsencode(str(folder))
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes()
            words += (process / "environ").read_bytes()
            if name in words or name in os.fsencode((process / "cwd").readlink()):
                found.append(int(process.name))
    return [pid for pid in found if pid != os.getpid()]


def until(condition: Callable[[], T], within: float = WITHIN) -> T:
    """Ask until the answer is something, and return it."""
    deadline = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)
    return found
