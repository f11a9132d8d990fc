"""``docker-compose.yml`` as data, and its commands as processes of this machine."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.image import DOCKERFILE, ROOT, stages
from tests.support.member import Member
from tests.support.ports import free_port
from tests.support.server import palimpsest

COMPOSE = ROOT / "docker-compose.yml"
PORT = "8000"


OF_THE_IMAGE = frozenset({"PATH", "PYTHONDONTWRITEBYTECODE"})
"""Where its programs lie, compiled when it was made."""


def read_compose() -> dict[str, Any]:
    """Return the file, with what it merges merged."""
    read: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return read


def ours(compose: Mapping[str, Any]) -> dict[str, Any]:
    """Return the services that run our image."""
    services = compose["services"]
    return {name: each for name, each in services.items() if "build" in each}


@dataclass
class Standing:
    """A service started as a process: where it is, and how it is asked whether well."""

    name: str
    member: Member
    check: list[str]

    @property
    def well(self) -> bool:
        """Whether its own health check says so, with the settings it has itself."""
        done = subprocess.run(
            self.check,
            capture_output=True,
            check=False,
            timeout=60,
            env=os.environ | self.member.environment,
        )
        return done.returncode == 0


def start(
    name: str, service: Mapping[str, Any], replaced: Mapping[str, str], folder: Path
) -> Standing:
    """Start what a service runs, with what its image sets; ``replaced`` are addresses.

    Containers have a network of their own, so each process is given a port instead.
    """
    image = stages(DOCKERFILE.read_text())[-1]
    assert image.listed("ENTRYPOINT") == ["palimpsest"]
    told = image.environment | service["environment"]
    told = {key: value for key, value in told.items() if key not in OF_THE_IMAGE}
    assert {key for key in replaced if key not in told} <= APART, "not an address of it"
    port = free_port()
    words = [str(port) if word == PORT else word for word in service["command"]]
    member = Member(
        name,
        tuple(words),
        told | {"PYTHONPATH": str(ROOT)} | replaced,
        folder / f"{name}.log",
        port if PORT in service["command"] else None,
    )
    member.launch()
    kind, program, *rest = service["healthcheck"]["test"]
    assert kind == "CMD"
    rest = [word.replace(PORT, str(port)) for word in rest]
    started = {"python": [sys.executable, *rest], "palimpsest": palimpsest(*rest)}
    return Standing(name, member, started[program])


APART = frozenset(
    {"KAFKA_TOPIC", "KAFKA_DEAD_LETTERS_TOPIC", "KAFKA_GROUP_PREFIX"}
    | {"KAFKA_PARTITIONS", "PYTHONPYCACHEPREFIX"}
)
"""Names of its own that a test gives a deployment, on brokers it shares with others."""
