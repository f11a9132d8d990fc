"""Whose vectors are searched now: they may be exchanged while a server runs."""

from collections.abc import Sequence
from typing import NoReturn

from infra.embedder.errors import EmbedderUnavailable
from infra.embedder.source import VectorSource


class Serving:
    """The source whose vectors questions are compared with, and since which position.

    Take ``source`` once for what belongs together: a vector and the name of whoever
    made it.
    """

    def __init__(self, source: VectorSource, since: int = 0) -> None:
        self.source = source
        self.since = since

    def exchange(self, source: VectorSource, since: int) -> None:
        """Let this source serve from now on."""
        self.source, self.since = source, since


class Unreachable:
    """Fulfils ``VectorSource`` for a model that cannot be asked any more, and why."""

    def __init__(self, model: str, dimensions: int, reason: str) -> None:
        self.model = model
        self.dimensions = dimensions
        self.reason = reason

    async def embed(
        self,
        texts: Sequence[str],  # noqa: ARG002  asked like any source
        *,
        interactive: bool = False,  # noqa: ARG002
    ) -> NoReturn:
        """Raise EmbedderUnavailable."""
        raise EmbedderUnavailable(self.reason)

    async def embed_query(self, text: str) -> None:
        """Return None: nobody embeds."""
