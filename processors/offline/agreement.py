"""Makes a verb agree with a subject in the third person singular."""

import re
from functools import cache
from typing import Final

from processors.offline.finite import is_past
from processors.offline.lexicon import FUNCTION
from processors.offline.verb_words import BASE_VERBS, MODALS
from processors.offline.vocabulary import vocabulary

_IRREGULAR: Final = {
    "am": "is",
    "are": "is",
    "have": "has",
    "haven't": "hasn't",
    "do": "does",
    "don't": "doesn't",
    "dont": "doesn't",
    "wanna": "wants to",
    "gotta": "has to",
    "ain't": "isn't",
}
_SAME_IN_PAST: Final = vocabulary("read put cut set let hit quit hurt cast knit")
_OPENS_OBJECT: Final = vocabulary(
    """
    a an the my our it them him her this that to at in for as with some two three
    his their on about every all
    """
)
_NEVER_NOUN: Final = vocabulary(
    """
    am have don't haven't love like enjoy hate want need live prefer keep try think
    feel know believe go get take make spend write sing eat listen teach collect
    volunteer usually wanna can't read learn see meet become
    """
)


def agree(verb: str, following: str, clause: str) -> str | None:
    """The form for a third person singular subject, or None if this is no verb.

    The `clause` decides whether "read" is past. A word nobody listed is a verb if the
    word `following` it opens an object.
    """
    low = verb.lower()
    if low in MODALS or (low in _SAME_IN_PAST and _past(clause)):
        return verb
    if low in BASE_VERBS or low in _IRREGULAR:
        return _third_singular(verb)
    if is_past(low):
        return verb
    known = following in _OPENS_OBJECT and low.isalpha() and low not in FUNCTION
    return _third_singular(verb) if known else None


def agree_again(verb: str, following: str) -> str | None:
    """The form of a later verb of the same subject ("and love"), if it surely is."""
    low = verb.lower()
    if low == "look":  # as in "and look at that"
        return None
    verbal = low in BASE_VERBS and following in _OPENS_OBJECT
    return _third_singular(verb) if low in _NEVER_NOUN or verbal else None


def _third_singular(verb: str) -> str:
    low = verb.lower()
    if low in _IRREGULAR:
        form = _IRREGULAR[low]
    elif low.endswith(("s", "x", "z", "ch", "sh", "o")):
        form = low + "es"
    elif low.endswith("y") and low[-2:-1] not in "aeiou":
        form = low[:-1] + "ies"
    else:
        form = low + "s"
    return form.upper() if verb.isupper() and len(verb) > 1 else form


def _past(clause: str) -> bool:
    return not _habit().search(clause) and bool(_past_marker().search(clause))


@cache
def _habit() -> re.Pattern[str]:
    return re.compile(
        r"\b(?:every|always|usually|often|sometimes|a lot|daily|regularly)\b"
    )


@cache
def _past_marker() -> re.Pattern[str]:
    return re.compile(
        r"\b(?:yesterday|ago|recently|finally|when I was|in \d{4}|on \d{4}-"
        r"|last (?:week|month|year|night|summer|winter|\w+day))\b"
        r"|\b(?:put|cut|set|let|hit|quit|hurt|cast|knit)\b"
        r"|\bread (?:an?|the|this|that|it|about|[\"A-Z])",
        re.IGNORECASE,
    )
