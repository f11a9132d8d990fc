"""Tells which facts only say again what is known (RS 2.5)."""

import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from commands.living import Source
from domain.conclusion import Found, Near, content_key
from domain.likeness import may_be_one, says_more
from processors.language_model import Unavailable
from processors.ports import Neighbours, Tokenizer

_LOG: Final = logging.getLogger(__name__)


class Sameness(msgspec.Struct, frozen=True):
    """Facts are one up to a cosine ``distance`` of their vectors.

    Of two wordings that says more which has more tokens, each the other lacks worth
    ``weight`` more.
    """

    distance: float = 0.05
    weight: int = 10


class SaidAgain:
    """Marks what is near a known fact, or one found before it; records nothing.

    What it finds is recorded with what is drawn, so that nobody compares vectors
    again. While no embedder answers, what is said again is told by its text alone.
    """

    def __init__(
        self,
        neighbours: Neighbours,
        tokens: Tokenizer,
        sameness: Sameness | None = None,
    ) -> None:
        self._neighbours = neighbours
        self._tokens = tokens
        self._sameness = sameness or Sameness()

    async def __call__(
        self, source: Source, found: Sequence[Found]
    ) -> tuple[Found, ...]:
        """Return the facts, each with what it says again, if that is known."""
        told = [(each.observed, each.content) for each in found]
        try:
            nearest = await self._neighbours.nearest(source, told)
        except Unavailable:
            _LOG.warning("what is said again is told by its text: no embedder answers")
            return tuple(found)
        marked = []
        for fact, near in zip(found, nearest, strict=True):
            one = near is not None and near.distance <= self._sameness.distance
            if near is not None and one and may_be_one(fact.content, near.content):
                fact = msgspec.structs.replace(  # noqa: PLW2901  the same, marked
                    fact, near=self._near(fact.content, near.content)
                )
            marked.append(fact)
        return tuple(marked)

    def _near(self, new: str, old: str) -> Near:
        key = content_key(old)
        ids = (self._tokens.ids(content_key(new)), self._tokens.ids(key))
        return Near(key, says_more(*ids, self._sameness.weight))
