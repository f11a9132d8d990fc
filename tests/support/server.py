"""A real server as a process of its own: ``palimpsest up``, as a user starts it."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.law_beside import LawBeside
from tests.support.ports import free_port

READY_WITHIN = 300.0
STOPPED_WITHIN = 60.0

IMPATIENT = {"LLM_RETRY_MIN_WAIT_SECONDS": "0"}
"""A stub need not be given time to recover."""


@dataclass
class Server:
    """One ``palimpsest up`` on one data folder; may be killed and started again."""

    data: Path
    port: int = field(default_factory=free_port)
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    law: LawBeside | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.launch()
        try:
            self.until_ready()
        except AssertionError:  # who starts it has nothing to stop yet
            self.kill_everything()
            raise

    def launch(self) -> None:
        """Start it."""
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                palimpsest("up", "--port", str(self.port), "--data", str(self.data)),
                stdout=log,
                stderr=log,
                env=os.environ | IMPATIENT | self.environment,
                start_new_session=True,
            )

    def until_ready(self) -> None:
        """Wait until ``/health`` says so."""
        assert self.process is not None
        deadline = time.monotonic() + READY_WITHIN
        while not healthy(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(self.log()[-4000:])
            time.sleep(0.02)

    def stop(self) -> int:
        """Ask it to stop as a user would; return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOPPED_WITHIN)

    def kill_everything(self) -> None:
        """Kill -9 the server and every process below it, all at once."""
        assert self.process is not None
        for pid in [*descendants(self.process.pid), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(STOPPED_WITHIN)

    def log(self) -> str:
        return (self.data.parent / f"{self.data.name}.log").read_text()


def palimpsest(*arguments: str) -> list[str]:
    """The command line of ``palimpsest`` in this environment."""
    return [sys.executable, "-m", "infra.main", *arguments]


def healthy(port: int) -> bool:
    """Whether a server on this loopback port answers that it is ready."""
    probe = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        probe.request("GET", "/health")
        return probe.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        probe.close()


def descendants(pid: int) -> list[int]:
    """Every process below ``pid``, found through /proc."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            after_name = stat.read_text().rsplit(")", 1)[1].split()
            children.setdefault(int(after_name[1]), []).append(int(stat.parent.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


@contextlib.contextmanager
def running(
    data: Path,
    environment: Mapping[str, str] | None = None,
    *,
    lawful: bool = True,
) -> Iterator[Server]:
    """A ready server on ``data``, stopped at the end whatever happened.

    Where nothing did, and it still runs, its views equal a fold anew.
    """
    server = Server(data, environment=environment or {})
    server.start()
    try:
        yield server
        if lawful and server.process is not None and server.process.poll() is None:
            LawBeside().check(data)
    finally:
        if server.process is not None and server.process.poll() is None:
            server.stop()
