"""Vectors a request waits for: made ahead of background work, stored, then shown."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from commands.ports import Remembered, Views
from infra.embedder.errors import EmbedderUnavailable
from infra.embedder.serving import Serving
from infra.postgres.embeddings import EmbeddingStore

WITHIN: Final = 5.0
"""Seconds a request waits until its vectors are found, then it answers anyway."""

Fingerprint = Callable[[str, Sequence[str]], Awaitable[Sequence[str]]]

Settled = Callable[[int], Awaitable[None]]


class StoredTexts:
    """Fulfils ``commands.ports.TextMemory``.

    ``shown`` are the views that vectors are folded into; ``settled`` waits until no
    change of models leaves out what was recorded up to a position.
    """

    def __init__(
        self,
        serving: Serving,
        store: EmbeddingStore,
        fingerprint: Fingerprint,
        shown: Views,
        settled: Settled,
    ) -> None:
        self._serving = serving
        self._store = store
        self._fingerprint = fingerprint
        self._shown = shown
        self._settled = settled

    async def remember(self, workspace: str, texts: Sequence[str]) -> Remembered | None:
        """Store the vectors that are missing; None when no embedder answers now."""
        source = self._serving.source
        model = source.model
        prints = tuple(await self._fingerprint(workspace, texts))
        there = await self._store.get_many(workspace, model, prints)
        wanted = dict(zip(prints, texts, strict=True))
        missing = {key: text for key, text in wanted.items() if key not in there}
        if missing:
            try:
                vectors = await source.embed(list(missing.values()), interactive=True)
            except EmbedderUnavailable:
                return None
            made = dict(zip(missing, vectors, strict=True))
            await self._store.put_many(workspace, model, made)
        return Remembered(
            model=model, dimensions=source.dimensions, fingerprints=prints
        )

    async def searchable(self, position: int) -> None:
        """Wait, bounded, until what was recorded up to there is found."""
        await self._settled(position)
        await self._shown.wait_for(position, WITHIN)
