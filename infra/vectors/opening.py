"""What a start finds: whose vectors serve; and the models a process can ask."""

from collections.abc import Callable, Collection
from contextlib import AsyncExitStack

import msgspec

from infra.embedder.serving import Serving, Unreachable
from infra.embedder.source import VectorSource
from infra.roles import UP
from infra.settings import Settings
from infra.vectors.ledger import Known
from infra.vectors.models import open_known, open_wanted, wanted_model
from infra.vectors.wanting import Standing, Wanting
from processors.ports import TokenCounter

Traced = Callable[[VectorSource], VectorSource]


class Source(msgspec.Struct, frozen=True):
    """A collection, and who makes its vectors; closed for itself."""

    known: Known
    source: VectorSource
    running: AsyncExitStack


class Sources:
    """The models that are open: those of collections that serve or are filled here.

    ``traced`` surrounds each by what tells of its calls.
    """

    def __init__(
        self,
        wanting: Wanting,
        settings: Settings,
        tokens: TokenCounter,
        running: AsyncExitStack,
        traced: Traced,
    ) -> None:
        self._wanting = wanting
        self._settings = settings
        self._tokens = tokens
        self._running = running
        self._traced = traced
        self._opened: dict[str, Source] = {}

    async def of(self, known: Known) -> Source:
        """Return who makes a collection's vectors; ``Unreachable`` if nobody can."""
        found = self._opened.get(known.model)
        if found is None:
            stack = await self._running.enter_async_context(AsyncExitStack())
            if self._wanting.is_ours(known):
                opening = open_wanted(self._wanting.wanted, known.model, self._tokens)
            else:
                opening = open_known(known, self._settings, self._tokens)
            source = await stack.enter_async_context(opening)
            if not isinstance(source, Unreachable):
                source = self._traced(source)
            found = self._opened[known.model] = Source(known, source, stack)
        return found

    async def close_all_but(self, models: Collection[str]) -> None:
        """Close who is asked no more."""
        for model in [each for each in self._opened if each not in models]:
            await self._opened.pop(model).running.aclose()


class Opened(msgspec.Struct, frozen=True):
    """Who serves, who else may be asked, and what is wanted."""

    wanting: Wanting
    sources: Sources
    serving: Serving
    standing: Standing


async def open_vectors(
    dsn: str,
    settings: Settings,
    tokens: TokenCounter,
    running: AsyncExitStack,
    traced: Traced,
    *,
    role: str | None = UP.name,
) -> Opened:
    """Open the model whose vectors serve, whichever is set.

    Where none serves yet, the one that is set does; where one does, it goes on until
    the vectors of the one that is wanted are complete. ``role`` is who fills; who has
    none wants nothing: whatever its settings, it asks what others let serve.
    """
    wanting = Wanting(dsn, wanted_model(settings), role)
    standing = await wanting.begin(running)
    sources = Sources(wanting, settings, tokens, running, traced)
    served = await sources.of(standing.serving)
    serving = Serving(served.source, standing.serving.since)
    return Opened(wanting, sources, serving, standing)
