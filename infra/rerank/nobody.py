"""The reranker that is not there: search keeps its own order."""

from collections.abc import Sequence


class NoReranker:
    """Fulfils ``projections.ports.Reranker`` where none is set."""

    depth = 0

    async def rerank(
        self,
        query: str,
        texts: Sequence[str],
    ) -> None:
        """Return None: nobody reads them."""
