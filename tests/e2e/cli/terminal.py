"""The published command line as a user at a terminal has it."""

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


class RefusedError(AssertionError):
    """A command exited with another code than 0; ``error`` is what it printed."""

    def __init__(self, arguments, done):
        super().__init__(f"honcho {' '.join(arguments)}: {done}")
        self.error = None
        if done["err"].startswith("{"):
            self.error = json.loads(done["err"])["error"]


class Terminal:
    """Runs commands with ``--json``; remembers which, with which options."""

    def __init__(self, process):
        self._process = process
        self.offered = json.loads(process.stdout.readline())
        self.used = {}

    def __call__(self, *arguments):
        """Run ``honcho`` and return what it printed.

        Raises:
            RefusedError: it exited with another code than 0.
        """
        given = [*arguments, "--json"]
        done = self._run(given)
        if done["code"] != 0:
            raise RefusedError(given, done)
        return json.loads(done["out"])

    def _run(self, given):
        path = next(
            path
            for path in sorted(self.offered, key=len, reverse=True)
            if given[: len(path.split())] == path.split()
        )
        self.used.setdefault(path, set()).update(a for a in given if a[:1] == "-")
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def never_used(self):
        """Return the commands, and the options of commands, that nobody used."""
        silent = set(self.offered) - set(self.used)
        for path, used in self.used.items():
            silent |= {
                f"{path} {names[0]}"
                for names in self.offered[path]
                if not used & set(names) and names[0] != "--help"
            }
        return silent


def settings_of(home, url, **more):
    """An environment in which nothing of the user's own is read or written.

    No certificate authorities are read either: nothing here speaks TLS.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HONCHO_")}
    home.mkdir(exist_ok=True)
    return kept | {
        "HOME": str(home),
        "HONCHO_CONFIG_DIR": str(home / "honcho"),
        "HONCHO_BASE_URL": url,
        "HONCHO_API_KEY": "any",
        "HONCHO_NO_UPDATE_CHECK": "1",
        "SSL_CERT_FILE": "",
        "SSL_CERT_DIR": str(home),
        **more,
    }


@contextlib.contextmanager
def terminal(environment):
    """A terminal with this environment, closed at the end."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.cli.forks"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Terminal(process)
        finally:
            process.stdin.close()
            process.wait(120)


def at_a_terminal(arguments, environment, answers):
    """Run the program on a terminal, answer what it asks; return all it showed."""
    ours, its = pty.openpty()
    unset = {"HONCHO_API_KEY", "HONCHO_BASE_URL"}
    offered = ["--base-url", environment["HONCHO_BASE_URL"]]
    with subprocess.Popen(
        [Path(sys.executable).parent / "honcho", *arguments, *offered],
        env={k: v for k, v in environment.items() if k not in unset},
        stdin=its,
        stdout=its,
        stderr=its,
    ) as process:
        os.close(its)
        os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
        shown = b""
        with contextlib.suppress(OSError):  # the terminal hangs up when it is done
            while part := os.read(ours, 4096):
                shown += part
        os.close(ours)
        assert process.wait(120) == 0, shown.decode()
    return shown.decode()
