"""Questions asked again: their vectors are remembered for a while."""

from collections import OrderedDict
from hashlib import blake2b
from typing import Final

from infra.embedder.source import VectorSource

KEPT: Final = 512
"""Questions remembered; at 1,536 dimensions they weigh 3 MB."""


class RememberedQuestions:
    """Fulfils ``QueryEmbedder``: asks its source for what it was not asked lately.

    Kept are hashes of the questions, never their words.
    """

    def __init__(self, source: VectorSource, kept: int = KEPT) -> None:
        self.model = source.model
        self.dimensions = source.dimensions
        self._source = source
        self._kept = kept
        self._vectors: OrderedDict[bytes, bytes] = OrderedDict()

    async def embed_query(self, text: str) -> bytes | None:
        """Return the vector of a question, None when it cannot be had now."""
        key = blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
        vector = self._vectors.get(key)
        if vector is None:
            vector = await self._source.embed_query(text)
        if vector is not None:
            self._vectors[key] = vector
            self._vectors.move_to_end(key)
            if len(self._vectors) > self._kept:
                self._vectors.popitem(last=False)
        return vector
