"""The embedder as processors know it: behind all requests, and sometimes away."""

from collections.abc import Sequence

from infra.embedder.errors import EmbedderUnavailable
from infra.embedder.source import VectorSource
from processors.language_model import Unavailable


class BackgroundEmbedder:
    """Fulfils ``processors.ports.Embedder`` over any source of vectors."""

    def __init__(self, source: VectorSource) -> None:
        self._source = source

    @property
    def model(self) -> str:
        return self._source.model

    @property
    def dimensions(self) -> int:
        return self._source.dimensions

    async def embed(self, texts: Sequence[str]) -> Sequence[bytes]:
        """Return a vector for each text.

        Raises:
            Unavailable: the embedder does not answer now.
        """
        try:
            return await self._source.embed(texts)
        except EmbedderUnavailable as error:
            raise Unavailable("The embedder", error.retry_after) from error
