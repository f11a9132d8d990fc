"""A long text cut into messages."""

from collections.abc import Iterator

_DELIMITERS = ("\n\n", "\n", ". ", " ")


def chunks(text: str, size: int) -> Iterator[str]:
    """Yield pieces of at most ``size`` characters that join to the text (HC E33).

    A piece ends after the last paragraph break within it, else after the last line
    break, sentence or space, else where it is full. An empty text is one empty piece.
    """
    start = 0
    while len(text) - start > size:
        end = _end(text, start, start + size)
        yield text[start:end]
        start = end
    yield text[start:]


def _end(text: str, start: int, limit: int) -> int:
    for delimiter in _DELIMITERS:
        found = text.rfind(delimiter, start, limit)
        if found >= 0:
            return found + len(delimiter)
    return limit
