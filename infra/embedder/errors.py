"""What may go wrong with an embedder."""


class EmbedderUnavailable(Exception):  # noqa: N818  a state, not a mistake
    """No vector can be had now; asking again later may succeed.

    ``retry_after`` is in seconds, None when nobody knows.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
