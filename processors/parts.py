"""Cuts what was said into parts that a model can be given in one call each."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

import msgspec

from processors.cut_text import cut_text
from processors.ports import TokenCounter
from processors.reasoner import Said

LINE: Final = 40
"""Tokens of a number, a time and a name, most often."""

_CONTEXT: Final = 4
"""What part of one call the words of somebody nobody asked about may take at most."""


def parts(
    window: Sequence[Said], room: int, tokens: TokenCounter, whole: Collection[str]
) -> Iterator[list[Said]]:
    """Yield runs of lines of at most ``room`` tokens; there is at least one.

    A message too long for one call comes in pieces, each a line of that message, if
    its author is among those whose words are wanted ``whole``; others' are cut, so
    that one of them and a piece are always read together.
    """
    part: list[Said] = []
    weight = 0
    for said in window:
        for piece in _pieces(said, room, tokens, whole=said.author in whole):
            cost = tokens.count(piece.text) + LINE
            if part and weight + cost > room:
                yield part
                part, weight = [], 0
            part.append(piece)
            weight += cost
    if part:
        yield part


def _pieces(
    said: Said, room: int, tokens: TokenCounter, *, whole: bool
) -> Iterator[Said]:
    others = room // _CONTEXT
    if not whole:
        text = cut_text(said.text, max(others - LINE, 1), tokens)
        yield msgspec.structs.replace(said, text=text)
        return
    most = max(room - others - LINE, 1)
    rest = said.text
    while rest:
        text = _at_a_blank(rest, cut_text(rest, most, tokens) or rest[:1])
        yield msgspec.structs.replace(said, text=text)
        rest = rest[len(text) :].lstrip()


def _at_a_blank(rest: str, text: str) -> str:
    """Cut back to the last word's end, where that costs less than half."""
    if len(text) == len(rest) or rest[len(text)].isspace():
        return text
    blank = max(text.rfind(" "), text.rfind("\n"))
    return text[:blank] if blank > len(text) // 2 else text
