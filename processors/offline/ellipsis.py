"""Puts the subject back where chat leaves it out: "Been busy" is "I've been busy"."""

import re
from functools import cache


def restore_subject(text: str) -> str:
    """The sentence with its "I", if it is one that surely lacks it."""
    if text.startswith(("I ", "I'", "My ", "my ", "We ", "i ")):
        return text
    match = _progressive().match(text)
    if match:
        return f"I'm {text[0].lower()}{text[1:]}"
    if _perfect().match(text):
        return f"I've {text[0].lower()}{text[1:]}"
    if _going_to().match(text):
        return f"I'm {text[0].lower()}{text[1:]}"
    if _past().match(text) or _present().match(text):
        return f"I {text[0].lower()}{text[1:]}"
    return text


@cache
def _progressive() -> re.Pattern[str]:
    return re.compile(
        r"(?:(?:just|still|currently|also|now|really|actually|already|always|so"
        r"|seriously)\s+)?"
        r"(?:working on|planning|trying (?:to|out)|hoping to|researching|thinking (?:of"
        r"|about)|learning|studying|getting ready|preparing|looking (?:for |into )"
        r"|training for|saving (?:up )?for|moving to|volunteering|teaching|taking"
        r" (?:a|up)"
        r"|starting (?:a|my)|building (?:a|my)|writing (?:a|my)|heading to|going to"
        r"|in the middle of|in the process of)\b(?!.*\b(?:is|are|was|were|helps?|can|"
        r"has|takes|means|makes|gives|brings|sounds|keeps|pumps)\b)",
        re.IGNORECASE,
    )


@cache
def _perfect() -> re.Pattern[str]:
    return re.compile(
        r"(?:(?:just|also|already|never|always)\s+)?been\s+(?!there\b|an? |hectic"
        r"|tough|crazy|great|good|fun|wild"
        r"|quite|too|nice|hard|rough|ages|forever|so long|days|weeks)"
        r"[a-z]+",
        re.IGNORECASE,
    )


@cache
def _going_to() -> re.Pattern[str]:
    return re.compile(r"gonna (?!be\b|miss\b|need\b|have to\b)[a-z]+", re.IGNORECASE)


@cache
def _past() -> re.Pattern[str]:
    return re.compile(
        r"(?:(?:just|also|finally|recently|already)\s+)(?:got|bought|finished|started"
        r"|had|came|moved|signed|joined|adopted|went|took|made|read|watched|wrapped"
        r"|completed|returned|landed|found|met|did|graduated|tried|picked|applied"
        r"|booked"
        r"|won|lost|baked|cooked|wrote|turned|quit|ordered|launched|opened|saw)\b"
        r"|(?:went|bought|moved|started|finished|adopted|joined|signed up|tried|took up"
        r"|got (?:a|an|my|some|married|engaged|promoted|accepted|hired|back))\s"
        r"|(?:[a-z]{2,}ed|lost|had|gave|took|made|met|ran|wrote|broke|sold|built|did"
        r"|won"
        r"|found|threw|drew|spent|taught) (?:my|an?|our|some) "
        r"|was (?=.*\b(?:I|my)\b)",
        re.IGNORECASE,
    )


@cache
def _present() -> re.Pattern[str]:
    return re.compile(
        r"(?:love|enjoy|hate|prefer)\s+[a-z]+ing\b(?! (?:you|it|that|this)\b)",
        re.IGNORECASE,
    )
