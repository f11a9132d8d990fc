"""``infra/docker/Dockerfile`` as data: its stages, what they copy, run and set."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "infra" / "docker" / "Dockerfile"

KNOWN = {
    *("FROM", "RUN", "ENV", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE"),
    *("STOPSIGNAL", "ENTRYPOINT", "CMD"),
}


@dataclass
class Stage:
    """One ``FROM`` and what follows it, in order."""

    image: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        return [text for each, text in self.steps if each == word]

    def last(self, word: str) -> str:
        return self.all(word)[-1]

    def listed(self, word: str) -> list[str]:
        """The exec form of ``ENTRYPOINT`` or ``CMD``."""
        return list(json.loads(self.last(word)))

    @property
    def environment(self) -> dict[str, str]:
        pairs = [pair for text in self.all("ENV") for pair in shlex.split(text)]
        return dict(pair.split("=", 1) for pair in pairs)


def stages(text: str) -> list[Stage]:
    """Read a Dockerfile; anything this does not know fails the test."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    found: list[Stage] = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, _, rest = line.partition(" ")
        assert word in KNOWN, line
        if word == "FROM":
            image, _, name = rest.partition(" AS ")
            found.append(Stage(image.strip(), name.strip()))
        else:
            found[-1].steps.append((word, rest.strip()))
    return found
