"""A representation as text: Markdown for the reader, a plain form for budgets.

Both are byte for byte those of HC 6.4 and 6.5.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

MOST_SOURCES = 5
"""How many sources of an inductive line are listed."""


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a representation; ``at`` is when its newest evidence was said.

    ``basis`` are premises, sources or conflicting statements, as its level has them.
    """

    level: str
    content: str
    at: datetime
    basis: Sequence[str] = ()
    confidence: str = "medium"
    pattern: str | None = None


def markdown(observations: Sequence[Observation]) -> str:
    """Write the sections that are not empty; nothing at all is the empty text."""
    sections = []
    for level, (heading, _, write) in _SECTIONS.items():
        items = [write(each) for each in observations if each.level == level]
        if items:
            sections.append(f"## {heading}\n\n{''.join(items)}")
            # The last kind of section has no blank line of its own at its end.
            sections.append("" if level == "contradiction" else "\n")
    return "".join(sections)


def plain(observations: Sequence[Observation]) -> str:
    """Write the prompt form, by which the tokens of a context are counted.

    All four headings are there, also when nothing is.
    """
    sections = []
    for level, (_, heading, _) in _SECTIONS.items():
        held = [each for each in observations if each.level == level]
        lines = "".join(
            f"{number}. {_dated(each)}\n" for number, each in enumerate(held, start=1)
        )
        sections.append(f"{heading}:\n\n{lines}")
    return "\n".join(sections)


def _dated(each: Observation) -> str:
    moment = each.at.astimezone(UTC).isoformat(" ", "seconds").removesuffix("+00:00")
    return f"[{moment}] {each.content}"


def _explicit(each: Observation) -> str:
    return f"{_dated(each)}\n"


def _deductive(each: Observation) -> str:
    return f"{_dated(each)}\n{_listed('   Premises:', each.basis)}\n"


def _inductive(each: Observation) -> str:
    text = f" **Pattern** [{each.confidence}]: {each.content}\n"
    if each.pattern is not None:
        text += f"   **Type**: {each.pattern}\n"
    text += _listed("   **Sources**:", each.basis[:MOST_SOURCES])
    if len(each.basis) > MOST_SOURCES:
        text += f"   - ... and {len(each.basis) - MOST_SOURCES} more\n"
    return f"{text}\n"


def _contradiction(each: Observation) -> str:
    statements = _listed("   **Conflicting statements**:", each.basis)
    return f" **CONTRADICTION**: {each.content}\n{statements}\n"


def _listed(heading: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return f"{heading}\n" + "".join(f"   - {line}\n" for line in lines)


_SECTIONS = {
    "explicit": ("Explicit Observations", "EXPLICIT", _explicit),
    "deductive": ("Deductive Observations", "DEDUCTIVE", _deductive),
    "inductive": ("Inductive Observations", "INDUCTIVE", _inductive),
    "contradiction": ("Contradictions", "CONTRADICTION", _contradiction),
}
