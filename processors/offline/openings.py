"""Takes greetings, names called and interjections off the front of a sentence."""

import re
from functools import cache

_ROUNDS = 6
_TAIL = 40


def without_opening(text: str, names: frozenset[str]) -> str:
    """The sentence from its first word of substance; `names` are the others' names."""
    for _ in range(_ROUNDS):
        head, comma, rest = text.partition(",")
        if comma and head.lower() in names:
            text = rest.lstrip()
        match = _opening().match(text) or _bare().match(text)
        if match is None:
            break
        text = text[match.end() :]
    if "since" in text.lower():
        text = _last_talk().sub("", text)
    text = text[:-_TAIL] + _closing().sub("", text[-_TAIL:])
    head, comma, last = text.rpartition(",")
    if comma and last.strip().lower() in names:
        text = head.rstrip()
    return text


@cache
def _opening() -> re.Pattern[str]:
    name = r"(?:\s+(?:[A-Z][\w'-]*|there|guys|everyone|all|friend|buddy|bro|man|girl))"
    words = (
        r"h+e+y+a?|hi+ya|hi+|hello|yo|yea+h?|yep|yup|yes|ye|no|nope|nah|na|ok|okay|kk?"
        r"|well|so|o+h+|a+h+|a+w+|ooh|wo+w|whoa|woah|ugh+|hm+|um+|uh|haha\w*|hehe|lol"
        r"|lmao|omg|oh my|thanks?(?: so much| a lot| a bunch| again| for [\w ]{1,30})?"
        r"|thank you(?: so much| for [\w ]{1,30})?|sure(?: thing)?|right|totally"
        r"|definitely|absolutely|exactly|honestly|actually|basically|anyways?|also|plus"
        r"|and|but|or|btw|by the way|fyi|tbh|to be honest|sadly|unfortunately|luckily"
        r"|fortunately|thankfully|of course|for sure|great|cool|awesome|nice|amazing"
        r"|sweet|congrats|congratulations|true|agreed|indeed|guess what|scratch that"
        r"|on second thought|wait|man|dude|girl|as for me|for me|on a different note"
        r"|in other news|speaking of which|long story short|in the meantime|in fact"
        r"|just so you know|fun fact|quick update|little update|as you know|you know"
        r"|i mean|good (?:morning|evening|afternoon)|gotta say"
        r"|not gonna lie|ngl|hopefully|same(?: here)?|me too|sorry[\w ]{0,30}|hola"
        r"|however|still|yet|plus|besides|otherwise|personally|overall|no (?:problem|"
        r"worries|way)|(?:ever )?since (?:we|our) last (?:[\w]+)|(?:ever )?since we"
        r" (?:last )?(?:talked|spoke|chatted|met)(?: last)?|speaking of [\w ]{1,30}"
        r"|on another note|you're right"
        r"|good news|big news|exciting news|news|glad \w+ \w+ \w+|update|bonjour|ciao"
    )
    return re.compile(
        rf"(?:(?i:{words}){name}{{0,2}}\s*(?:[,!:;]+|\.{{2,}}"
        rf"|\s-+(?=\s))\s*"
        r"|(?:I )?(?:(?i:just) )?(?i:wanted to|want to|have to|had to|gotta) (?:let"
        r"|tell|share"
        r" with|remind|update|give) you(?: know| the heads up[\w' ]*)?(?:"
        r" that)?[,-]?\s+"
        r"(?=(?:I|my|we)\b)"
        r"|(?!(?:Yesterday|Today|Tomorrow|Tonight|Lately|Recently|Currently|Once|Now"
        r"|Later|Sometimes|Growing|Afterwards?|Then|First|Last|Next|Previously|Soon"
        r"|\w+day)\b)(?-i:[A-Z][a-z]+)(?<!ly),\s*(?=(?:I|[Mm]y|[Ww]e)\b))"
    )


@cache
def _bare() -> re.Pattern[str]:
    return re.compile(
        r"(?:and|but|so|also|plus|well|oh|yeah|yep|yes|honestly|actually|anyways?|wow"
        r"|luckily|ok|okay|haha|lol|hey|no|like|cuz|because|cause|'cause|or"
        r"|for me|as for me|unfortunately|sadly|however|thankfully|good thing|gotta"
        r" say|guess what)\s+"
        r"(?=(?:I|i|my|we|our)(?:\b|'))",
        re.IGNORECASE,
    )


@cache
def _last_talk() -> re.Pattern[str]:
    return re.compile(
        r",?\s*\b(?:ever )?since (?:our last \w+|we (?:last )?(?:talked|spoke"
        r"|chatted|met"
        r"|caught up)(?: last)?)\b,?",
        re.IGNORECASE,
    )


@cache
def _closing() -> re.Pattern[str]:
    return re.compile(
        r"\s*(?:,\s*(?:lol|haha\w*|man|dude|bro|guys|though|you know|to be honest|tbh"
        r"|honestly|actually|thanks(?: a lot| so much)?|thank you|I guess|I think)"
        r"|[,-]\s*(?:take a look|check (?:it|this|them) out|see)"
        r"|\s(?:lol|lmao|haha\w*|tbh|btw))\s*$",
        re.IGNORECASE,
    )
