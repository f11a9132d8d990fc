"""Leaves out of what was said what a memory told whoever said it (RS 3.2).

Agents paste what they were given of a peer into their turns. Read as something said,
it would be concluded from once more, of the wrong peer and with no end.
"""

import re
from collections.abc import Callable
from typing import Final

RECALLED: Final = "[recalled]"
"""Stands where something was left out."""

IsKnown = Callable[[str], bool]
"""Tells whether a text is, word for word, what is concluded of somebody already."""

# As the SDKs put a context before a model.
_TAG: Final = re.compile(r"<(peer_representation|peer_card|summary)>")

# As a representation reads, in Markdown and plain (HC 6.4, 6.5).
_HEADING: Final = re.compile(
    r"## (?:Explicit|Deductive|Inductive) Observations|## Contradictions"
    r"|EXPLICIT:|DEDUCTIVE:|INDUCTIVE:|CONTRADICTION:"
)
_UNDER: Final = re.compile(
    r"(?:\d+\. )?\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[^\]]*\] "
    r"|\s*(?:\d+\. )?\*\*(?:Pattern|Type|Sources|CONTRADICTION|Conflicting)"
    r"|\s+(?:Premises:|- )"
)
_MARK: Final = re.compile(r"\s*(?:[-*\u2022]|\d+[.)])?\s*(?:\[[^\]]*\]\s*)?")

_SHORTEST: Final = 12
"""Characters below which equal words are taken for chance."""


def without_recalled(text: str, is_known: IsKnown) -> str:
    """Return a text with ``RECALLED`` in the place of each piece that was recalled."""
    told = _without_tagged(text) if "</" in text else text
    lines: list[str] = []
    under = False
    for line in told.split("\n"):
        under = _HEADING.fullmatch(line.strip()) is not None or (
            under and (not line.strip() or _UNDER.match(line) is not None)
        )
        if not (under or _repeats(line, is_known)):
            lines.append(line)
        elif lines[-1:] != [RECALLED]:
            lines.append(RECALLED)
    return "\n".join(lines)


def says_nothing(text: str) -> bool:
    """Tell whether nothing is left but what was recalled."""
    return RECALLED in text and not text.replace(RECALLED, "").strip()


def _without_tagged(text: str) -> str:
    kept, at, open_ = [], 0, set[str]()
    while (tag := _TAG.search(text, at)) is not None:
        closing = f"</{tag[1]}>"
        # What is not closed from here on is not closed further on either.
        end = -1 if closing in open_ else text.find(closing, tag.end())
        if end < 0:
            open_.add(closing)
            kept.append(text[at : tag.end()])
            at = tag.end()
        else:
            kept += [text[at : tag.start()], RECALLED]
            at = end + len(closing)
    return "".join([*kept, text[at:]])


def repeatable(text: str) -> list[str]:
    """Return the lines that are long enough to be words of a memory, unmarked."""
    lines = map(_unmarked, text.split("\n"))
    return [each for each in lines if len(each) >= _SHORTEST]


def _repeats(line: str, is_known: IsKnown) -> bool:
    said = _unmarked(line)
    return len(said) >= _SHORTEST and is_known(said)


def _unmarked(line: str) -> str:
    mark = _MARK.match(line)
    return line[mark.end() if mark else 0 :].strip()
