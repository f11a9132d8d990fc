"""What of a model's facts is believed: what rests on lines it was given (RS 14)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.derivation import Refused
from processors.reasoner import Fact, Said

_DIGITS: Final = 9
"""Longest number of a line that is read."""


def believed(
    given: Sequence[Mapping[str, Any]], window: Sequence[Said], observed: Sequence[str]
) -> tuple[tuple[Fact, ...], Refused]:
    """Return the facts with that part of their evidence which is in the window.

    Each names its peer and the lines of that peer it rests on; where it names none
    of the peers asked for, those lines tell whose it is. One that rests on nothing is
    refused, unless its peer said only one thing. Facts of an answer that numbers no
    line as they are numbered rest on all their peers said (RS 3.4), but for those
    that say they rest on none. What is made up is counted.
    """
    named = [_lines(each.get("evidence"), window) for each in given]
    numbered = any(lines for lines, _ in named)
    facts = []
    refused = Refused()
    for each, (lines, invented) in zip(given, named, strict=True):
        peer = _peer(each.get("peer"), lines, observed)
        own = [said.id for said in window if said.author == peer]
        says_none = each.get("evidence") == [] or numbered
        unnamed = [] if says_none and len(set(own)) > 1 else own
        cited = [said.id for said in lines] or unnamed
        evidence = tuple(dict.fromkeys(cited)) if peer is not None else ()
        refused += Refused(int(not evidence), invented)
        if evidence and peer is not None:
            facts.append(Fact(peer, each["content"], evidence))
    return tuple(facts), refused


def _peer(name: object, lines: Sequence[Said], observed: Sequence[str]) -> str | None:
    """Return whom a fact is about: as it says, or as its lines do."""
    if isinstance(name, str):
        plain = name.strip()
        for peer in observed:
            if peer in {name, plain}:
                return peer
        alike = [peer for peer in observed if peer.casefold() == plain.casefold()]
        if len(alike) == 1:
            return alike[0]
    authors = {said.author for said in lines} & set(observed)
    if not lines and len(observed) == 1:
        return observed[0]
    return authors.pop() if len(authors) == 1 else None


def _lines(
    evidence: Sequence[object] | None, window: Sequence[Said]
) -> tuple[list[Said], int]:
    """Return the lines named, and how many are not there."""
    named = dict.fromkeys(_number(each) for each in evidence or ())
    lines = [n for n in named if n is not None and 1 <= n <= len(window)]
    return [window[n - 1] for n in lines], len(named) - len(lines)


def _number(line: object) -> int | None:
    """Read a line's number, also as ``"3"`` or ``"[3]"``."""
    if isinstance(line, bool):
        return None
    if isinstance(line, int):
        return line
    digits = str(line).strip("[] ") if isinstance(line, str) else ""
    plain = digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS
    return int(digits) if plain else None
