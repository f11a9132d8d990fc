"""The words of a text."""

import re
from functools import cache


def words(text: str) -> list[str]:
    """The words of a text in order, with their apostrophes and inner hyphens."""
    return _word().findall(text)


@cache
def _word() -> re.Pattern[str]:
    return re.compile(r"\w+(?:['\-]\w+)*")
