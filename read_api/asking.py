"""A question in words: its limits, and the vector that stands for its meaning."""

from typing import Annotated

from pydantic import AfterValidator

from domain.errors import Invalid
from projections.ports import QueryEmbedder, TokenCounter
from projections.probe import Probe

MOST_TOKENS = 8192
"""Longest question, in tokens (HC 10)."""


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("text must be valid Unicode") from None
    return text


Text = Annotated[
    str,
    AfterValidator(_encodable),
    AfterValidator(lambda text: text.replace("\x00", "")),
]
"""A text of real characters, without NUL, which is silently removed (HC 1.6)."""

Named = Annotated[
    str,
    AfterValidator(_encodable),
    AfterValidator(lambda name: name.replace("\x00", "\ufffd")),
]
"""A name; one with NUL is nobody's, and not that of who is called like the rest."""


def check_length(query: str, tokens: TokenCounter) -> None:
    """Refuse a question of too many tokens.

    Raises:
        Invalid: text of HC 1.12.
    """
    # A token has at least one byte, so an ordinary question needs no counting.
    if len(query.encode()) > MOST_TOKENS and tokens.count(query) > MOST_TOKENS:
        raise Invalid(f"Query exceeds maximum token limit of {MOST_TOKENS}.")


async def probe_of(query: str, embedder: QueryEmbedder) -> Probe | None:
    """Return the question's vector; None if nothing is asked or nobody embeds now."""
    if not query.strip():
        return None
    return await embedder.embed_query(query)
