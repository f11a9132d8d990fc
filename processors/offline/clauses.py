"""Splits a sentence into the statements in it that have a subject of their own."""

import re
from functools import cache

from processors.offline.finite import is_finite
from processors.offline.lexicon import ADVERBIAL_FIRST, FUNCTION, NEVER_FIRST
from processors.offline.sentences import Sentence
from processors.offline.standalone import stands_alone
from processors.offline.words import words

_SHORTEST_HEAD = 3
_YOU_HINTS = ("you", "ya", "all", "thank", "please", " u", "u ", "thy")
_LONGEST = 600
"""Characters; what goes on for longer without a stop is no sentence of a chat."""


def clauses(sentence: Sentence) -> list[str]:
    """Statements that stand alone; what cannot is kept with the one before it."""
    text = sentence.text
    if len(text) > _LONGEST:
        return []
    if sentence.mark == "?":
        text = _before_question(text)
    if any(hint in text.lower() for hint in _YOU_HINTS) and _you().search(text):
        text = _before_you(text)
    if not text:
        return []
    parts = _boundary().split(text)
    found = [parts[0]]
    for separator, part in zip(parts[1::2], parts[2::2], strict=True):
        if _separate(found[-1], separator, part):
            found.append(part)
        elif not (_question().match(part) or _aside(separator, part)):
            found[-1] += separator + part
    return found


def _before_question(text: str) -> str:
    cut = 0
    for match in _pause().finditer(text):
        if _question().match(text, match.end()):
            cut = match.start()
            break
    return _long_enough(text[:cut])


def _before_you(text: str) -> str:
    you = _you().search(text)
    end = you.start() if you else len(text)
    cut = 0
    for match in _turn().finditer(text, 0, end):
        cut = match.start()
    return _long_enough(text[:cut])


def _long_enough(text: str) -> str:
    return text if len(text.split()) >= _SHORTEST_HEAD else ""


def _separate(before: str, separator: str, part: str) -> bool:
    word = separator.strip(" ,")
    dash = separator.strip(" ") in {"-", "--", ";", "..."}
    if not _own_subject().match(before):
        first = before.split(None, 1)[0].lower() if before.strip() else ""
        if dash:
            return bool(_own_subject().match(part))
        if word in ("but", "so") and first in NEVER_FIRST:
            return not _pointing().search(part)
        apart = first not in ADVERBIAL_FIRST and not _pointing().search(part)
        return apart and _has_verb(before) and _says(part)
    apart = word not in ("but", "so") or not stands_alone(before)
    return apart and _says(part) and _has_verb(before) and stands_alone(part)


def _aside(separator: str, part: str) -> bool:
    """A comment behind a dash that adds nothing: "- so excited", "- check it out"."""
    if not _dash().match(separator):
        return False
    return bool(_shown().match(part)) or all(w in FUNCTION for w in words(part.lower()))


def _says(part: str) -> bool:
    match = _own_subject().match(part)
    if match is None:
        return False
    return not match[0].lower().startswith("my") or _has_verb(part)


def _has_verb(text: str) -> bool:
    return any(is_finite(word) for word in words(text.lower())) or bool(
        _pronoun_subject().match(text)
    )


@cache
def _own_subject() -> re.Pattern[str]:
    return re.compile(r"(?:now |then |also |currently )?(?:I|i|we|We|my|My)\b(?!-)")


@cache
def _pronoun_subject() -> re.Pattern[str]:
    return re.compile(r"(?:now |then |also |currently )?(?:I|i|we|We)\b")


@cache
def _boundary() -> re.Pattern[str]:
    return re.compile(
        r"(\s+-{1,2}\s+|\s*--\s*|(?<=\w)-\s+(?=[a-zA-Z])|\s*;\s+"
        r"|\s*\.\.\.\s+"
        r"|,?\s+(?:and|plus|&|but|so)\s+(?=(?:now |then |also )?(?:I|i|we|my)\b)"
        r"|,\s+(?=(?:I|i|we|my)\b))"
    )


@cache
def _dash() -> re.Pattern[str]:
    return re.compile(r"\s*(?:-|\.\.\.)")


@cache
def _shown() -> re.Pattern[str]:
    return re.compile(
        r"(?:check|come|look|see|here|have a look|take a look|wanna|so (?:excited|proud"
        r"|happy|cool|fun|good)|super excited|love (?:it|that|this)|can't wait|yum"
        r"|let)\b",
        re.IGNORECASE,
    )


@cache
def _pointing() -> re.Pattern[str]:
    return re.compile(r"\b(?:it|that|this|them|they|he|she)\b")


@cache
def _pause() -> re.Pattern[str]:
    return re.compile(
        r"\s*[,;]\s*(?:and |but |so )?|\s+-+\s+|-\s+|\s+(?:and|but|so)\s+"
    )


@cache
def _question() -> re.Pattern[str]:
    return re.compile(
        r"(?:do|does|did|have|has|had|are|is|was|were|can|could|would|will|should|may"
        r"|what|what's|who|when|where|why|how|how's|which|any|you|u|want|wanna|and you"
        r"|thoughts|don't|isn't|aren't|got any|ever|guess)\b",
        re.IGNORECASE,
    )


@cache
def _you() -> re.Pattern[str]:
    return re.compile(
        r"\b(?:you|your|yours|yourself|yourselves|u|ur|y'?all|ya|thy|thanks|please"
        r"|thank)\b(?!-)",
        re.IGNORECASE,
    )


@cache
def _turn() -> re.Pattern[str]:
    return re.compile(
        r"\s*[,;]\s+|\s+-+\s+|\s+(?=(?:but|so|because|and|since|cause"
        r"|like)\s)"
    )
