"""Cuts a text to what a model reads of it."""

from processors.ports import TokenCounter


def cut_text(text: str, most: int, tokens: TokenCounter) -> str:
    """Return the beginning of a text, ``most`` tokens at most."""
    # A token has at least one byte: what is short enough needs no counting.
    while len(text.encode("utf-8", "replace")) > most:
        count = tokens.count(text)
        if count <= most:
            break
        text = text[: max(1, len(text) * most * 49 // (count * 50))]
        if len(text) <= 1:
            break
    return text
