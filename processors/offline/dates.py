"""Turns relative dates into absolute ones where the message's date makes them certain.

Certain are a named day, month or year: "yesterday", "two days ago", "last month".
Anything else ("last Friday", "next week", "recently") keeps its words, and the sentence
then ends with the date on which it was said.
"""

import re
from datetime import date, timedelta
from functools import cache
from typing import Final

from processors.offline.vocabulary import vocabulary

_NUMBERS: Final = {
    word: number
    for number, word in enumerate(
        [
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ],
        1,
    )
} | {"a": 1}
_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_STEP: Final = {"last": -1, "this": 0, "next": 1}
_KEEPS_PREPOSITION: Final = vocabulary(
    """
    since by until till from for of before after to around through
    """
)
_HINTS: Final = (
    "day", "night", " ago", "last", "this", "next", "past", "coming", "other", "recent",
    "lately", "few", "couple", "tomorrow",
)  # fmt: skip
_LONGEST_COUNT: Final = 31


def resolve_dates(text: str, said_on: date) -> tuple[str, bool]:
    """The text with certain dates made absolute, and whether others remain in it."""
    low = text.lower()
    if not any(hint in low for hint in _HINTS):
        return text, False
    resolved = _certain().sub(lambda match: _replace(match, said_on), text)
    if _leading().match(text):
        resolved = resolved[:1].upper() + resolved[1:]
        resolved = _missing_comma().sub(r"\1, ", resolved, count=1)
    return resolved, bool(_uncertain().search(resolved))


def _replace(match: re.Match[str], said_on: date) -> str:
    preposition, phrase = match["preposition"], match["phrase"].lower()
    answer = _meaning(phrase, said_on)
    if answer is None:
        return match[0]
    if preposition and preposition.lower() in _KEEPS_PREPOSITION:
        return f"{preposition} {answer.split(' ', 1)[1]}"
    return answer


def _meaning(phrase: str, said_on: date) -> str | None:
    words = phrase.split()
    if words[-1] in ("month", "year"):
        return _month_or_year(words, said_on)
    if words[-1] == "ago":
        count = _NUMBERS.get(words[0]) or int(words[0])
        if count > _LONGEST_COUNT:
            return None
        return _day("on", said_on, -count)
    parts = ("morning", "afternoon", "evening", "night", "tonight")
    part = next((part for part in parts if part in words), "")
    form = f"on the {part.removeprefix('to')} of" if part else "on"
    return _day(form, said_on, _distance(words))


def _distance(words: list[str]) -> int:
    if words[:3] == ["the", "day", "before"]:
        return -2
    if words[:3] == ["the", "day", "after"]:
        return 2
    if words[0] in ("yesterday", "last"):
        return -1
    return 1 if words[0] == "tomorrow" else 0


def _day(form: str, said_on: date, distance: int) -> str | None:
    try:
        return f"{form} {said_on + timedelta(days=distance)}"
    except OverflowError:
        return None


def _month_or_year(words: list[str], said_on: date) -> str:
    step = _STEP[words[0]]
    if words[1] == "year":
        return f"in {said_on.year + step}"
    months = said_on.year * 12 + said_on.month - 1 + step
    return f"in {_MONTHS[months % 12]} {months // 12}"


@cache
def _certain() -> re.Pattern[str]:
    part = r"(?: morning| afternoon| evening| night)?"
    return re.compile(
        r"(?<!\bthe )(?<!\bmy )(?<!\bhis )(?<!\bher )(?<!\btheir )(?<!\bour )(?<!-)"
        r"\b(?:(?P<preposition>since|by|until|till|from|for|of|before|after|to|around"
        r"|through|on|in)\s+)?"
        r"(?P<phrase>the day before yesterday|the day after tomorrow"
        rf"|yesterday{part}|tomorrow{part}|today|tonight|last night"
        r"|this (?:morning|afternoon|evening)"
        rf"|(?:\d{{1,2}}|{'|'.join(_NUMBERS)}) days? ago"
        r"|(?:last|this|next) (?:month|year))\b(?!['\u2019]s|-)",
        re.IGNORECASE,
    )


@cache
def _leading() -> re.Pattern[str]:
    return re.compile(
        r"(?:the day (?:before|after)|yesterday|tomorrow|today|tonight"
        r"|last (?:night|month|year)|this (?:morning|afternoon|evening|month|year)"
        r"|next (?:month|year)|\w+ days? ago)\b",
        re.IGNORECASE,
    )


@cache
def _missing_comma() -> re.Pattern[str]:
    return re.compile(r"^((?:On|In)\b.*?\d{4}(?:-\d\d-\d\d)?)\s+(?=\w)")


@cache
def _uncertain() -> re.Pattern[str]:
    days = "mon|tues|wednes|thurs|fri|satur|sun"
    return re.compile(
        r"\b(?:ago|recently|lately|yesterday|tomorrow|today|tonight"
        r"|the other (?:day|night|week|month|morning|evening)"
        r"|(?:last|this|next|this past|this coming|past|coming)(?: few| couple of)? "
        r"(?:weeks?|weekends?|months?|years?|spring|summer|fall|autumn|winter|semester"
        r"|term|season|days|nights?|morning|christmas|thanksgiving|halloween|easter"
        r"|january|february|march|april|may|june|july|august|september|october"
        r"|november|december|mon|tue|wed|thu|fri|sat|sun))\b"
        rf"|(?<!every )(?<!each )\b(?:{days})day\b(?!s)"
        rf"|\b(?:last|this|next) (?:{days})day",
        re.IGNORECASE,
    )
