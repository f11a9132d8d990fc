"""Whether a clause can be understood without the words around it."""

from typing import Final

from processors.offline.finite import is_finite
from processors.offline.lexicon import (
    ADVERBIAL_FIRST,
    FUNCTION,
    TIME_NOUNS,
    UNRESOLVED,
)
from processors.offline.verb_words import ADVERBS, BASE_VERBS
from processors.offline.vocabulary import vocabulary
from processors.offline.words import words

_BE: Final = vocabulary(
    """
    am i'm im was is are were been be we're being i've
    """
)
_SUBJECT: Final = vocabulary(
    """
    i i'm i've i'll i'd im we we're we've we'll we'd
    """
)
_HAS_SUBJECT_IT: Final = vocabulary("it it's they they're he she he's she's")
_THAT_FOLLOWED: Final = vocabulary(
    """
    i i'm i've we we're my the a an our people it's it there's some most not no if
    when life all having being
    """
)
_SHOWING: Final = frozenset(["this", "that", "these", "those"])
_PICTURES: Final = vocabulary(
    """
    pic photo picture pics photos pictures shot video one
    """
)
_SAYING: Final = vocabulary(
    """
    know knew think feel felt realize realized learn learned found heard believe
    hope show shows showed so mean means discovered decided proud sure happy glad is
    was remember see saw ensure say says said
    """
)
_TOWARDS: Final = vocabulary("to with for about of at in on")
_TELLING: Final = 2
_PRAISE: Final = vocabulary(
    """
    cool amazing awesome great nice wonderful incredible fantastic little big new
    good huge fun hard tough super really such
    """
)
_THOSE: Final = vocabulary("who with in around that without at")
_PERSON: Final = vocabulary(
    "he he's he'd he'll him his she she's she'd she'll her hers"
)
_SOMEBODY: Final = vocabulary(
    """
    mom mum mother dad father brother sister son daughter kid child baby wife
    husband partner girlfriend boyfriend fiancee fiance friend buddy bestie roommate
    boss manager mentor coach teacher tutor professor doctor therapist dentist nurse
    lawyer landlord neighbor neighbour colleague coworker client customer student
    grandma grandmother grandpa grandfather aunt auntie uncle cousin niece nephew
    stepdad stepmom man woman guy lady girl boy person someone somebody everyone
    kitten cat kitty dog puppy pup horse bird rabbit hamster parrot pet girl twin
    youngest oldest mama papa granny
    """
)
_PEOPLE: Final = vocabulary("people folks guys everybody")
_PERSONS: Final = vocabulary(
    """
    he she he's she's him her his hers they them their they're they've who
    """
)


_LINKING: Final = vocabulary(
    """
    to really just also never always still finally already can could will would not
    have had i've recently only and haven't hadn't hasn't don't didn't can't
    couldn't won't wouldn't ever even
        """
)


def stands_alone(clause: str) -> bool:
    """False if a pronoun in the clause points at something said before it."""
    spoken = words(clause)
    said = [word.lower() for word in spoken]
    if "here" in said or _nothing_new(said):
        return False
    if not _PERSON.isdisjoint(said) and not _somebody(spoken, said):
        return False
    return not any(
        word in UNRESOLVED and _points_back(said, index)
        for index, word in enumerate(said)
    )


def _somebody(spoken: list[str], said: list[str]) -> bool:
    """Whether anybody stands before the first "he" or "she" of a clause."""
    first = next(index for index, word in enumerate(said) if word in _PERSON)
    if not _SOMEBODY.isdisjoint(word.removesuffix("'s") for word in said[:first]):
        return True
    return any(word[0].isupper() and word[0] != "I" for word in spoken[1:first])


def _nothing_new(said: list[str]) -> bool:
    return all(word in FUNCTION for word in said)


def _points_back(said: list[str], index: int) -> bool:
    word = said[index]
    following = said[index + 1] if index + 1 < len(said) else ""
    if word in _SHOWING:
        return _shows(said, index, following)
    if word in ("one", "ones"):
        alone = following != "of" and (
            not following or following in _TOWARDS or following in ADVERBS
        )
        return alone and not _content(said[:index])
    if word == "there":
        return _TOWARDS.isdisjoint(said[:index])
    return not _antecedent(said, index, following)


def _shows(said: list[str], index: int, following: str) -> bool:
    """Whether "this" or "that" stands for something the reader cannot see."""
    word, before = said[index], said[:index]
    praised = word in ("this", "these") and following in _PRAISE
    meant = word == "those" and following in _THOSE
    if praised or meant or following in TIME_NOUNS:
        return False
    if not following or (following in FUNCTION and not is_finite(following)):
        return not (word == "that" and before[1:] and following in _THAT_FOLLOWED)
    if word in ("this", "these"):
        return following in _PICTURES or len(_content(said)) < _TELLING
    if is_finite(following) or _SAYING.issuperset(before[-1:]):
        return word != "that" or not _content(before)
    return len(_content(before)) < _TELLING


def _antecedent(said: list[str], index: int, following: str) -> bool:
    word, before = said[index], said[:index]
    if before and before[-1].endswith("ing"):
        before = before[:-1]
    elif len(before) > 1 and before[-1] in _TOWARDS and before[-2].endswith("ing"):
        before = before[:-2]
    if before and before[0] not in _SUBJECT and before[0] not in ADVERBIAL_FIRST:
        subject = _subject_length(before)
        if (
            word in _PERSONS
            or (word in _HAS_SUBJECT_IT and is_finite(following or "is"))
            or "'" in word
        ):
            return bool(_content(before))
        before = before[subject:]
    if before[-1:] == ["of"]:
        before = before[:-2]
    vague = ("ed", "ing") if word in _PERSONS else ("ed",)
    return any(
        not (noun.endswith(vague) or noun in _PEOPLE) for noun in _content(before)
    )


def _subject_length(said: list[str]) -> int:
    for index, word in enumerate(said[1:], 1):
        if is_finite(word):
            return index + 1
    return len(said)


def _content(said: list[str]) -> list[str]:
    found: list[str] = []
    verb_due = True
    for index, word in enumerate(said):
        if word in _SUBJECT:
            verb_due = True
            continue
        if word in FUNCTION or word.endswith("ly"):
            verb_due = verb_due and (word == "going" or not word.endswith("ing"))
            continue
        if index and said[index - 1] == "to" and word in BASE_VERBS:
            continue
        if verb_due and index and _acts(said, index):
            verb_due = False
            continue
        found.append(word)
    return found


def _acts(said: list[str], index: int) -> bool:
    previous = said[index - 1]
    if said[index].endswith("ing"):
        return previous in _BE or (previous in FUNCTION and _after_be(said, index))
    return previous in _SUBJECT or previous in _LINKING or previous.endswith("ly")


def _after_be(said: list[str], index: int) -> bool:
    return any(word in _BE for word in said[max(0, index - 3) : index])
