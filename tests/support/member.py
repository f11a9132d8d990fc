"""One process of a fleet: a role of ``palimpsest``; killed, it comes back."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.server import (
    IMPATIENT,
    STOPPED_WITHIN,
    descendants,
    healthy,
    palimpsest,
)


@dataclass
class Member:
    """``wanted`` says whether it is started again when it has ended.

    ``ended`` are the exit codes of those ends that we did not cause.
    """

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    port: int | None = None
    wanted: bool = True
    ended: list[int] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None
    _turn: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def role(self) -> str:
        return self.name.partition("-")[0]

    @property
    def url(self) -> str:
        assert self.port is not None
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether it serves, or at least runs where it serves nobody."""
        return self.alive and (self.port is None or healthy(self.port))

    def launch(self) -> None:
        """Start it; see ``Fleet.until_ready``."""
        with self._turn, self.log.open("ab") as log:
            self.wanted = True
            self.process = subprocess.Popen(
                palimpsest(*self.arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | IMPATIENT | self.environment,
                cwd=self.log.parent,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill -9 it and every process below it, all at once."""
        with self._turn:
            process, self.process = self.process, None
            if process is None:
                return
            for pid in [*descendants(process.pid), process.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait(STOPPED_WITHIN)

    def vanish(self) -> None:
        """Kill -9 it, for good."""
        with self._turn:
            self.wanted = False
            self.kill()

    def stop(self) -> int:
        """Ask it to stop, for good; return its exit code."""
        with self._turn:
            self.wanted = False
            process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self.process = process
            self.kill()
            return -signal.SIGKILL

    def revive(self) -> None:
        """Start it again if it is wanted and has ended, and keep how it ended."""
        with self._turn:
            if not self.wanted or self.alive:
                return
            if self.process is not None:
                self.ended.append(self.process.returncode)
            self.launch()

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""
