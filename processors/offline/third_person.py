"""Says in the third person what a peer said in the first."""

import re
from functools import cache
from typing import Final

from processors.offline.agreement import agree, agree_again
from processors.offline.finite import is_finite, is_past
from processors.offline.verb_words import ADVERBS, BASE_VERBS, MODALS
from processors.offline.vocabulary import vocabulary

_PEER: Final = "\x06"
_SINGULAR: Final = {"m": " is", "ve": " has", "ll": " will"}
_PLURAL: Final = {"m": " are", "re": " are", "ve": " have", "ll": " will"}
_HAD_BEFORE: Final = vocabulary("been never always better already just")
_BREAKS: Final = vocabulary(
    """
    who that which they he she it you we i i'm i've people there because when while
    since if until where whom how what why so let gonna wanna gotta help helps make
    makes they're it's
    """
)
_OTHERWISE: Final = {
    "mine": "theirs",
    "us": "them",
    "ours": "theirs",
    "myself": "themself",
    "ourselves": "themselves",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
}
_TAKES_BASE: Final = frozenset(("do", "don't", "dont", "wanna", "gotta"))
_JOINERS: Final = frozenset(("and", "but", "or"))
_SUBORDINATING: Final = vocabulary("as since when while after before that")
_PREPOSED: Final = vocabulary(
    """
    in on at during for since after before with as
    """
)


def third_person(clause: str, peer: str) -> str | None:
    """The clause about `peer`, or None where its verb is not understood.

    The subject is the exact peer id wherever "I" stood; "we" is the peer and others.
    """
    rewriting = _Rewriting(_joined_subjects(clause), peer)
    said = rewriting.run()
    if said is None:
        return None
    said = said.strip(" ,;:-&")
    if not said.startswith(peer):
        said = said[:1].upper() + said[1:]
    return said


class _Rewriting:
    """One pass over the words of a clause."""

    def __init__(self, clause: str, peer: str) -> None:
        self.peer = peer
        self.out = _token().findall(clause)
        self.at = [n for n, t in enumerate(self.out) if t[0].isalnum() or t == _PEER]
        self.low = [self.out[n].lower() for n in self.at]
        self.clause = clause
        self.named = self.subject_named = self.others_named = self.failed = False

    def run(self) -> str | None:
        for index, word in enumerate(self.low):
            if word == _PEER:
                self._put(index, self.peer)
                self.named = self.subject_named = True
            elif word in {"i", "im", "ive"} or word.startswith("i'"):
                self._subject(index, word)
            elif word == "we" or word.startswith("we'"):
                self._others(index, word)
            else:
                self._object(index, word)
            if self.failed:
                return None
        return "".join(self.out)

    def _put(self, index: int, text: str) -> None:
        self.out[self.at[index]] = text

    def _word(self, index: int) -> str:
        return self.low[index] if index < len(self.low) else ""

    def _subject(self, index: int, word: str) -> None:
        ending = word[1:].lstrip("'")
        plural = (
            index > 0 and self.low[index - 1] == "and" and not self._verb_before(index)
        )
        comma = not self.subject_named and self._preposed(index)
        if comma:
            self.out[self.at[index] - 1] = ", "
        self.named = self.subject_named = True
        if ending == "d":
            self._put(index, self.peer + self._had_or_would(index))
        elif ending:
            forms = _PLURAL if plural else _SINGULAR
            self._put(index, self.peer + forms.get(ending, ""))
            self.failed = ending not in forms
        else:
            self._put(index, self.peer)
        if not plural and ending in ("m", "ve"):
            self._go_on(index + 1)
        elif not plural and not ending:
            self._verb(index + 1)

    def _preposed(self, index: int) -> bool:
        return (
            index > 1
            and self.low[index - 1] not in _SUBORDINATING
            and self.low[0] in _PREPOSED
            and self.at[index] - self.at[index - 1] == 2  # noqa: PLR2004 - one blank between
            and not any(is_finite(word) for word in self.low[1:index])
        )

    def _verb_before(self, index: int) -> bool:
        if self._after_comma(index - 1):
            return True
        start = index - 1
        while start > 0 and "," not in "".join(
            self.out[self.at[start - 1] + 1 : self.at[start]]
        ):
            start -= 1
        before = self.low[start : index - 1]
        return any(is_finite(word) or word.endswith("'s") for word in before)

    def _had_or_would(self, index: int) -> str:
        following = self._word(index + 1)
        return " had" if following in _HAD_BEFORE or is_past(following) else " would"

    def _verb(self, index: int) -> None:
        while self._word(index) in ADVERBS or self._word(index).endswith("ly"):
            index += 1
        if index >= len(self.low):
            self.failed = True
            return
        following = self._word(index + 1)
        form = agree(self.out[self.at[index]], following, self.clause)
        if form is None:
            self.failed = True
            return
        word = self.low[index]
        self._put(index, form)
        if word not in MODALS and word not in _TAKES_BASE:
            self._go_on(index + 1)

    def _go_on(self, index: int) -> None:
        """Give the later verbs of the same subject their form, as far as it is sure."""
        while index < len(self.low):
            word = self.low[index]
            if word in _BREAKS or word in MODALS:
                return
            if word == "to" and self._word(index + 1) in BASE_VERBS:
                return
            if word in _JOINERS or self._listed(index):
                index += word in _JOINERS
                while self._word(index) in ADVERBS:
                    index += 1
                self._again(index)
            index += 1

    def _again(self, index: int) -> None:
        form = agree_again(self._word(index), self._word(index + 1))
        if form is not None:
            self._put(index, form)

    def _listed(self, index: int) -> bool:
        later = self.low[index + 1 :]
        return self._after_comma(index) and "and" in later and self.low[index] != "like"

    def _after_comma(self, index: int) -> bool:
        before = self.out[self.at[index - 1] + 1 : self.at[index]]
        return bool(before) and before[0] == ","

    def _others(self, index: int, word: str) -> None:
        ending = word[2:].lstrip("'")
        name = "they" if self.others_named else f"{self.peer} and others"
        if ending == "d":
            name += self._had_or_would(index)
        elif ending:
            self.failed = ending not in _PLURAL
            name += _PLURAL.get(ending, "")
        self._put(index, name)
        self.named = self.subject_named = self.others_named = True

    def _object(self, index: int, word: str) -> None:
        if word in {"my", "our"}:
            self._put(index, "their" if self.named else f"{self.peer}'s")
            self.named = True
        elif word == "me":
            self._put(index, "them" if self.subject_named else self.peer)
            self.named = True
        elif word == "us" and not self.others_named:
            self._put(index, f"{self.peer} and others")
            self.named = self.others_named = True
        elif self.out[self.at[index]].lower() == word:
            self._put(index, _OTHERWISE.get(word, self.out[self.at[index]]))


def _joined_subjects(clause: str) -> str:
    """Make "my wife and I", "me and my wife" and "Tom and I" start with the peer."""
    if " and " not in clause:
        return clause
    match = _with_mine().search(clause)
    if match and not any(is_finite(word) for word in match["who"].lower().split()):
        other = f"their {match['who']}"
    elif match := _with_me().match(clause):
        other = ("their " if match["my"] else "") + match["who"]
    elif match := _with_named().search(clause):
        other = match["who"]
    else:
        return clause
    return f"{clause[: match.start('all')]}{_PEER} and {other}{clause[match.end() :]}"


@cache
def _token() -> re.Pattern[str]:
    return re.compile(r"\w+(?:['\-]\w+)*|\x06|\s+|.", re.DOTALL)


@cache
def _with_mine() -> re.Pattern[str]:
    return re.compile(
        r"\b(?P<all>(?:[Mm]y|[Oo]ur) (?P<who>(?:[\w'-]+ ){0,2}[\w'-]+))"
        r" and (?:I|i)\b(?!')"
    )


@cache
def _with_me() -> re.Pattern[str]:
    return re.compile(r"(?P<all>[Mm]e) and (?P<my>my )?(?P<who>[\w'-]+)")


@cache
def _with_named() -> re.Pattern[str]:
    return re.compile(
        r"(?:^|, |\b(?:when|while|because|since|where|that) )"
        r"(?P<all>(?P<who>[A-Z][\w-]+(?: [A-Z][\w-]+)?)) and I\b(?!')"
    )
