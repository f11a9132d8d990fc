"""Questions asked again: their vectors are remembered for a while."""

from collections import OrderedDict
from hashlib import blake2b
from typing import Final

from infra.embedder.serving import Serving
from projections.probe import Probe

KEPT: Final = 512
"""Questions remembered; at 1,536 dimensions they weigh 3 MB."""


class RememberedQuestions:
    """Fulfils ``QueryEmbedder``: asks who serves for what it was not asked lately.

    Kept are hashes of the questions, never their words.
    """

    def __init__(self, serving: Serving, kept: int = KEPT) -> None:
        self._serving = serving
        self._kept = kept
        self._vectors: OrderedDict[tuple[str, bytes], bytes] = OrderedDict()

    @property
    def model(self) -> str:
        return self._serving.source.model

    @property
    def dimensions(self) -> int:
        return self._serving.source.dimensions

    async def embed_query(self, text: str) -> Probe | None:
        """Return what a question is compared by, None if it cannot be had now."""
        source, since = self._serving.source, self._serving.since
        hashed = blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
        key = (source.model, hashed)
        vector = self._vectors.get(key)
        if vector is None:
            vector = await source.embed_query(text)
        if vector is None:
            return None
        self._vectors[key] = vector
        self._vectors.move_to_end(key)
        if len(self._vectors) > self._kept:
            self._vectors.popitem(last=False)
        return Probe(vector, source.model, source.dimensions, since)
