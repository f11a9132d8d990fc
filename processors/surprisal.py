"""What may point a specialist at conclusions that are unlike the rest (RS 6.4)."""

from typing import Protocol

import msgspec

from processors.dream_news import Pair


class Hints(msgspec.Struct, frozen=True):
    """Texts that stand out, the least expected first; ``reason`` is why there are none.

    It never tells what was said.
    """

    texts: tuple[str, ...] = ()
    reason: str = ""


class FindHints(Protocol):
    """Finds conclusions of a pair that stand out among its vectors."""

    async def __call__(self, pair: Pair, position: int) -> Hints:
        """Return them as it was at a position of the log."""
        ...


async def no_hints(pair: Pair, position: int) -> Hints:  # noqa: ARG001  the port's
    """Point at nothing: surprisal is off."""
    return Hints((), "off")
