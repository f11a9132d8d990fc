"""The port of who concludes and sums up: the offline engine, or a model (RS 3, 4)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.derivation import Refused
from domain.event import Engine
from domain.session import SummaryKind
from processors.language_model import Purpose


class Said(msgspec.Struct, frozen=True):
    """One message as a reasoner is given it; ``at`` carries the speaker's zone."""

    id: str
    author: str
    text: str
    at: datetime


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Messages to be read together, and the peers about whom something is wanted.

    ``instructions`` are the tenant's (HC 5.1). ``purpose`` is whom a model is asked
    for.
    """

    said: Sequence[Said]
    observed: tuple[str, ...]
    purpose: Purpose
    instructions: str | None = None


class Fact(msgspec.Struct, frozen=True):
    """One sentence about a peer, and the ids of its messages it rests on."""

    observed: str
    content: str
    evidence: tuple[str, ...]


class Drawn(msgspec.Struct, frozen=True):
    """Facts, and the engine that found them with what it took.

    ``refused`` is what rested on nothing the engine was given.
    """

    facts: tuple[Fact, ...]
    engine: Engine
    refused: Refused = Refused()


class SummedUp(msgspec.Struct, frozen=True):
    """A summary, "" if there is none, and the engine that made it."""

    text: str
    engine: Engine


class Reasoner(Protocol):
    """Draws conclusions and sums up: the offline engine, or a model.

    ``engine`` names it where nothing was asked of it.
    """

    @property
    def engine(self) -> Engine: ...

    async def derive(self, window: Window) -> Drawn:
        """Return what the window tells of each peer; nobody trusts the evidence.

        Raises:
            Malformed, Unavailable, ModelRefused
        """
        ...

    async def summarize(
        self,
        kind: SummaryKind,
        previous: str,
        window: Sequence[Said],
        *,
        purpose: Purpose | None = None,
    ) -> SummedUp:
        """Return a summary of all so far, absorbing ``previous``.

        Raises:
            Unavailable, ModelRefused
        """
        ...
