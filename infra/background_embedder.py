"""The embedder as processors know it: behind all requests, and sometimes away."""

from collections.abc import Sequence

from infra.embedder.errors import EmbedderUnavailable
from infra.embedder.process import EmbedderProcess
from processors.ports import Unavailable


class BackgroundEmbedder:
    """Fulfils ``processors.ports.Embedder`` over the embedder's process."""

    def __init__(self, process: EmbedderProcess) -> None:
        self._process = process

    @property
    def model(self) -> str:
        return self._process.model

    @property
    def dimensions(self) -> int:
        return self._process.dimensions

    async def embed(self, texts: Sequence[str]) -> Sequence[bytes]:
        """Return a vector for each text.

        Raises:
            Unavailable: the embedder does not answer now.
        """
        try:
            return await self._process.embed(texts)
        except EmbedderUnavailable as error:
            raise Unavailable("The embedder") from error
