"""What the server refuses, as an exception of the SDK; pytest is not at hand here."""


class refused:  # noqa: N801  reads as a word
    """Inside, the SDK raises this class with a message that has these words."""

    def __init__(self, kind, words):
        self.kind, self.words = kind, words

    def __enter__(self):
        return self

    def __exit__(self, _, error, __):
        assert isinstance(error, self.kind), f"wanted {self.kind}, got {error!r}"
        assert self.words in str(error.message), error.message
        return True
