"""What may go wrong with the bundled embedder."""


class EmbedderUnavailable(Exception):  # noqa: N818  a state, not a mistake
    """No vector can be had now; asking again later may succeed."""
