"""``palimpsest relay run`` as a process of its own, to be frozen and killed."""

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.kafka import variables
from tests.support.server import STOPPED_WITHIN, palimpsest


@dataclass
class RelayProcess:
    """One relay on a Postgres that runs; its log is kept in a folder."""

    dsn: str
    settings: Mapping[str, object]
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        environment = variables(self.settings) | {"DB_CONNECTION_URI": self.dsn}
        with (self.folder / "relay.log").open("ab") as log:
            self.process = subprocess.Popen(
                palimpsest("relay", "run"),
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=os.environ | environment,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """Kill -9."""
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(STOPPED_WITHIN)

    def stop(self) -> int:
        """Ask it to stop, and see that it does; return its exit code."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        assert self.process is not None
        return self.process.wait(STOPPED_WITHIN)

    def says(self, words: str, times: int = 1) -> bool:
        """Whether it, or who ran before it, said something so often."""
        return self.log().count(words) >= times

    def log(self) -> str:
        return (self.folder / "relay.log").read_text()
