"""One specialist at work: what it was given, what it may name, what it has changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from commands.decide import Decide
from commands.grounds import FindGrounds, Ground
from domain.dream import DreamScheduled, Specialist
from domain.event import Engine
from domain.recorded import Cause
from processors.dream_news import Pair
from processors.tools.shown import Shown


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a specialist is to do: of which dream, and how far it reads the log.

    ``scheduled_at`` is the position at which the dream was scheduled.
    """

    dream: DreamScheduled
    specialist: Specialist
    attempt: int
    position: int
    scheduled_at: int
    cause: Cause

    @property
    def pair(self) -> Pair:
        """Workspace, observer and observed."""
        return self.dream.workspace, self.dream.observer, self.dream.observed

    @property
    def key(self) -> str:
        """Name the work, the same when it is done again after a crash."""
        return f"dream:{self.dream.id}:{self.attempt}:{self.specialist}"


class CardShown(msgspec.Struct, frozen=True):
    """A card as an agent is shown it: lines with their ids, "" for the owner's."""

    lines: tuple[tuple[str, str], ...] = ()
    version: int = 0


class ReadCard(Protocol):
    """Reads the card of a pair, as it was at a position or as it stands."""

    async def __call__(self, pair: Pair, position: int | None = None) -> CardShown: ...


class Tally(msgspec.Struct):
    """What a specialist has changed so far; conclusions by level."""

    created: Counter[str] = msgspec.field(default_factory=Counter)
    deleted: Counter[str] = msgspec.field(default_factory=Counter)
    reinforced: int = 0
    card_changes: int = 0
    refused: int = 0


class DreamRun:
    """What the writing tools of one specialist share.

    Its commands are named by the task and counted, so that what is done again after a
    crash is carried out once. ``shown`` gives the labels by which it names things.
    """

    def __init__(
        self,
        task: Task,
        decide: Decide,
        find_grounds: FindGrounds,
        engine: Engine,
        shown: Shown,
    ) -> None:
        self.task = task
        self.decide = decide
        self.engine = engine
        self.shown = shown
        self.tally = Tally()
        self._find_grounds = find_grounds
        self._commands = 0

    def next_name(self, tool: str) -> str:
        """Return the name of the next command."""
        self._commands += 1
        return f"{self.task.key}:{self._commands}:{tool}"

    async def find(self, names: Sequence[str]) -> Mapping[str, Ground]:
        """Return what is held of what is named, by the names given.

        Raises:
            Overloaded: the views are behind.
        """
        ids = {name: self._id_of(name) for name in names}
        found = await self._find_grounds(self.task.pair, sorted({*ids.values()}))
        return {name: found[id_] for name, id_ in ids.items() if id_ in found}

    def _id_of(self, name: str) -> str:
        """Return the id of a label, or of an id however it is dressed (RS 13.1 W41)."""
        seen = self.shown.find(name)
        if seen is not None:
            return seen.id
        return name.strip().strip("[]").removeprefix("id:").strip()
