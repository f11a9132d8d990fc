"""The embedder of what is not embedded: its questions are of words alone."""


class Nobody:
    """Fulfils ``QueryEmbedder`` and never answers (``EMBED_MESSAGES=false``)."""

    model = "none"
    dimensions = 1

    async def embed_query(self, text: str) -> None:
        """Return None: nobody embeds."""
