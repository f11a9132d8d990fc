"""Whether a clause says something of its speaker that is worth remembering."""

import re
from functools import cache
from itertools import pairwise
from typing import Final

from processors.offline.courtesies import is_courtesy
from processors.offline.finite import is_finite, is_past
from processors.offline.lexicon import (
    ADVERBIAL_FIRST,
    FIRST_PERSON,
    FUNCTION,
    NEVER_FIRST,
    TIME_NOUNS,
)
from processors.offline.sentences import SPEECH
from processors.offline.standalone import stands_alone
from processors.offline.verb_words import ADVERBS, BASE_VERBS
from processors.offline.vocabulary import vocabulary
from processors.offline.words import words

_LONGEST: Final = 400
_FOREIGN: Final = vocabulary(
    """
    ich und der das ist nicht ein eine mein je suis est une mon dans avec el los las
    una vivo en ek het een och jag gli che sono nella con por para mi yo uma em não
    ik ben mijn og jeg naam woon
    """
)
_UNREAL: Final = vocabulary(
    """
    if unless suppose imagine wish supposedly hypothetically would've could've
    should've might've pretend
    """
)
_MIGHT: Final = vocabulary("would could should might may")
_FIRST_TIME: Final = TIME_NOUNS | {"of", "day"}
_SUBORDINATE: Final = vocabulary(
    """
    when while because cause although though whenever
    """
)
_PERHAPS_SUBORDINATE: Final = vocabulary("since before after until once as")
_WHO: Final = frozenset(("i", "we"))
_LACKS_SUBJECT: Final = vocabulary(
    """
    gotta gonna wanna makes feels reminds helps gives brings keeps means looks
    sounds seems gets takes goes has is was can will could would does
    """
)
_QUANTITY: Final = vocabulary("one some most many two three a")
_OWN: Final = vocabulary("i i'm i've i'll i'd me my mine myself")
_TELLING: Final = vocabulary(
    """
    told said says asked tells thinks wants happened happens matter matters sounds
    looks seems
    """
)
_LATEST_VERB: Final = 14


def worth_keeping(clause: str) -> bool:
    """True for a statement by which the speaker tells of themself or their own.

    False for talk about the talk, courtesies, offers, requests, what is only imagined,
    what somebody else said, other languages, and what needs its context.
    """
    if len(clause) > _LONGEST or SPEECH in clause:
        return False
    tokens = words(clause.lower())
    if not _UNREAL.isdisjoint(tokens) or _is_imagined(clause, tokens):
        return False
    if _subordinate(tokens) and not _main_clause(clause, tokens):
        return False
    if len(tokens) < 2 or FIRST_PERSON.isdisjoint(tokens):  # noqa: PLR2004 - a subject and its verb
        return False
    if sum(token in _FOREIGN for token in tokens) > 1:
        return False
    return _tells(clause, tokens) and stands_alone(clause)


def _is_imagined(clause: str, tokens: list[str]) -> bool:
    """Such as "I would have gone", "were I you", "had I known", "maybe I should"."""
    pairs = pairwise(tokens)
    if any((a in _MIGHT and b == "have") or (a, b) == ("were", "i") for a, b in pairs):
        return True
    return _imagined().match(clause) is not None


def _subordinate(tokens: list[str]) -> bool:
    if not tokens:
        return False
    told = tokens[1:2] and tokens[1].partition("'")[0] in _WHO
    return tokens[0] in _SUBORDINATE or (
        tokens[0] in _PERHAPS_SUBORDINATE and bool(told)
    )


def _main_clause(clause: str, tokens: list[str]) -> bool:
    subjects = sum(token.startswith(("i'", "we'")) or token in _WHO for token in tokens)
    return "," in clause or subjects > 1 or sum(map(is_finite, tokens)) > 1


def _tells(clause: str, tokens: list[str]) -> bool:
    first = tokens[0]
    if first in ("now", "then") and tokens[1] in FIRST_PERSON:
        first = tokens[1]
    if first in ("my", "our"):
        return _mine_tells(clause, tokens)
    if first in ("me", "us", "mine"):
        return bool(_me_and().match(clause))
    if first in FIRST_PERSON:
        return not is_courtesy(tokens)
    if first in ("this", "these", "one"):
        return _this_tells(clause, tokens)
    joined = _joined().match(clause) is not None
    return (joined or first not in NEVER_FIRST) and _told_otherwise(clause, tokens)


def _mine_tells(clause: str, tokens: list[str]) -> bool:
    verb = any(map(is_finite, tokens[2:])) or " and I " in clause
    return (verb or _plural_verb(tokens) > 0) and not _empty_my().match(clause)


def _this_tells(clause: str, tokens: list[str]) -> bool:
    """Whether "this" opens a time ("this week I") or names a thing of the speaker."""
    if tokens[1] in _FIRST_TIME:
        return _told_otherwise(clause, tokens)
    named = tokens[0] != "one" and tokens[1] not in FUNCTION
    return named and _noun_tells(clause, tokens)


def _told_otherwise(clause: str, tokens: list[str]) -> bool:
    main = _main().search(clause)
    if tokens[0] in ADVERBIAL_FIRST or _joined().match(clause):
        if main is None:
            return tokens[0] in _QUANTITY and _noun_tells(clause, tokens)
        rest = words(clause[main.start() :].lower())
        if rest[0] in ("my", "our"):
            return any(map(is_finite, rest[1:]))
        return not is_courtesy(rest)
    return _noun_tells(clause, tokens)


def _noun_tells(clause: str, tokens: list[str]) -> bool:
    """A subject of another kind does or is something to the speaker."""
    start = next((t for t in tokens if t not in ADVERBS), "")
    if _OWN.isdisjoint(tokens) or is_past(start) or start in _LACKS_SUBJECT:
        return False
    if start in BASE_VERBS and not _capitals().match(clause):
        return False
    verb = next((n for n, t in enumerate(tokens) if n and is_finite(t)), 0)
    verb = verb or _contracted_verb(tokens)
    verb = verb or _plural_verb(tokens)
    return 0 < verb < _LATEST_VERB and tokens[verb] not in _TELLING


def _plural_verb(tokens: list[str]) -> int:
    """Where a base form follows a plural, as in "books guide me"; 0 if nowhere."""
    subject = ""
    for index, token in enumerate(tokens):
        if token in BASE_VERBS and subject.endswith("s"):
            return index
        subject = subject if token in ADVERBS else token
    return 0


def _contracted_verb(tokens: list[str]) -> int:
    for index, token in enumerate(tokens[1:], 1):
        if tokens[index - 1].endswith("'s") and (token in ADVERBS or token in FUNCTION):
            return index
    return 0


@cache
def _imagined() -> re.Pattern[str]:
    return re.compile(
        r"had (?:i|we)\b|(?:maybe|perhaps|last time|a lot(?:'s)?) |as an?"
        r" (?:language|ai)\b",
        re.IGNORECASE,
    )


@cache
def _capitals() -> re.Pattern[str]:
    return re.compile(r"[A-Z][\w'-]* [A-Z]")


@cache
def _joined() -> re.Pattern[str]:
    return re.compile(r"[A-Z][\w-]+(?: [A-Z][\w-]+)? and I\b|(?:[Mm]e) and (?:my )?\w+")


@cache
def _me_and() -> re.Pattern[str]:
    return re.compile(r"[Mm]e and (?:my )?\w+")


@cache
def _main() -> re.Pattern[str]:
    return re.compile(r"(?<![\w'-])(?:[Ii]|[Ww]e|[Mm]y)(?:'\w+)?(?= )(?!-)")


@cache
def _empty_my() -> re.Pattern[str]:
    return re.compile(
        r"(?:my|our) (?:pleasure|bad|god|goodness|gosh|thoughts? exactly|friend$|dear\b"
        r"|apolog|condolences|heart (?:goes|breaks)|point is|question|guess|advice"
        r"|recommendation|suggestion|two cents|answer|treat\b|best wishes|love to"
        r"|opinion|lips)|our (?:love|stor|support|friendship|communit|words|bond"
        r"|actions|li[fv]e"
        r"|world|planet|society|differences|dreams|journey|collaboration|chat|talk"
        r"|conversation|passion|future|health|minds?|mental|environment|planet)",
        re.IGNORECASE,
    )
