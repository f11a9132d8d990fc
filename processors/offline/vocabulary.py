"""A set of words, written as one would say them."""


def vocabulary(words: str) -> frozenset[str]:
    """The words of a text, which stands in the source as prose and not as a list."""
    return frozenset(words.split())
