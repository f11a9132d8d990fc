"""Whether a peer is a machine that speaks of itself for effect."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from processors.offline.vocabulary import vocabulary

_NAMES: Final = vocabulary(
    """
    ai agent assistant bot chatbot copilot gpt chatgpt claude gemini llm system
    """
)


def speaks_as_agent(peer: str, texts: Iterable[str]) -> bool:
    """True if the peer's id or one of its texts says that it is an assistant."""
    if not _NAMES.isdisjoint(_words_of_id().split(peer.lower())):
        return True
    return any(_confession().search(text) for text in texts)


@cache
def _words_of_id() -> re.Pattern[str]:
    return re.compile(r"[^a-z]+")


@cache
def _confession() -> re.Pattern[str]:
    return re.compile(
        r"\b(?:I['\u2019]m|I am|as)\s+(?:just\s+|only\s+)?(?:an?|your)\s+"
        r"(?:[\w-]+\s+){0,2}?"
        r"(?:AI|artificial intelligence|language model|LLM|chatbot|bot"
        r"|virtual assistant|assistant and)\b"
    )
