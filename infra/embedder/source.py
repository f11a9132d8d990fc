"""What the rest of ``infra`` asks of any embedder, bundled or a provider's."""

from collections.abc import Sequence
from typing import Protocol


class VectorSource(Protocol):
    """Makes vectors: float32 little-endian, all of ``dimensions`` numbers.

    ``model`` names the collection they belong to: two sources of one name make
    vectors that may be compared.
    """

    model: str
    dimensions: int

    async def embed(
        self, texts: Sequence[str], *, interactive: bool = False
    ) -> list[bytes]:
        """Return a vector for each text; somebody waits for an interactive one.

        Raises:
            EmbedderUnavailable
        """
        ...

    async def embed_query(self, text: str) -> bytes | None:
        """Return the vector of a question, None when it cannot be had now."""
        ...
