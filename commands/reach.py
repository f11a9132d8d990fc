"""What taking back needs to know: what rests on what, as the views tell."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from commands.ports import Held
from domain.retraction import KeptConclusion, TakenConclusion


class Falling(msgspec.Struct, frozen=True):
    """What falls, what it began with first, and what loses something and stands.

    ``position`` is where in the log that was so.
    """

    conclusions: tuple[TakenConclusion, ...] = ()
    kept: tuple[KeptConclusion, ...] = ()
    position: int = 0


class Unsupported(msgspec.Struct, frozen=True):
    """A conclusion that could not stand if it were reinstated now.

    ``unit`` is the one that took what it lacks, None if that is erased.
    """

    id: str
    unit: str | None


class Reach(Protocol):
    """Knows what rests on what. What it says is decided upon again.

    All but ``held`` wait, bounded, until the views have passed the log's head.
    """

    async def held(self, workspace: str, conclusion: str) -> Held | None:
        """Return a conclusion by its public id, also one that was held once."""
        ...

    async def falling(
        self,
        workspace: str,
        first: Sequence[TakenConclusion],
        observer: str | None = None,
    ) -> Falling:
        """Return what falls when these do, for one observer or for everybody.

        Raises:
            TooMuch: more than one unit may take.
        """
        ...

    async def unsupported(
        self, workspace: str, taken: Sequence[TakenConclusion]
    ) -> Sequence[Unsupported]:
        """Return those of a unit that could not stand if all of it came back."""
        ...
