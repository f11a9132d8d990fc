"""What a model has been shown in one run, and by which labels it may name it.

Labels are short, so that they are copied rightly and cost little: ``c1`` is the first
conclusion that was shown, ``m1`` the first message. They stand for ids throughout a
run, in arguments and where an answer says what it rests on.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final, Literal

import msgspec

from processors.recall import Recollection
from processors.tools.memory import Excerpt

MOST_QUOTED: Final = 2_000
"""Most characters of one remembered text (RS 0), unless settings say otherwise."""

_LEVELS: Final = {
    "explicit": "Stated:",
    "deductive": "What follows from that:",
    "inductive": "Patterns:",
    "contradiction": "Contradictions:",
}


_CITED: Final = 3
"""Messages a conclusion's line names."""

Kind = Literal["conclusion", "message"]


class Named(msgspec.Struct, frozen=True):
    """What a label stands for."""

    kind: Kind
    id: str


class Shown:
    """Gives labels, remembers what they stand for, and writes the lines of a text."""

    def __init__(self, *, most: int = MOST_QUOTED) -> None:
        self._most = most
        self._texts: dict[Named, Recollection] = {}
        self._labels: dict[Named, str] = {}
        self._named: dict[str, Named] = {}
        self._counts: dict[Kind, int] = {"conclusion": 0, "message": 0}

    def label(self, each: Recollection) -> str:
        """Return what it is called, now and in all of the run."""
        named = Named(each.kind, each.id)
        self._texts[named] = each
        return self._label(named)

    def _label(self, named: "Named") -> str:
        if named not in self._labels:
            self._counts[named.kind] += 1
            label = f"{named.kind[0]}{self._counts[named.kind]}"
            self._labels[named], self._named[label] = label, named
        return self._labels[named]

    @property
    def everything(self) -> tuple[Recollection, ...]:
        """All whose text was shown, in the order it first was."""
        return tuple(self._texts.values())

    def find(self, name: str) -> "Named | None":
        """Return what was named so, by its label or by its id."""
        bare = name.strip().strip("[]").removeprefix("id:").strip()
        if (found := self._named.get(bare.lower())) is not None:
            return found
        by_id = (Named(kind, bare) for kind in self._counts)
        return next((each for each in by_id if each in self._labels), None)

    def text_of(self, named: "Named") -> Recollection | None:
        """Return what was shown of it; None where only its label was."""
        return self._texts.get(named)

    def id_of(self, name: str) -> str:
        """Return the id a label stands for; what is no label is taken for an id."""
        found = self.find(name)
        return name.strip() if found is None else found.id

    def quote(self, text: str) -> str:
        """Put a text on one line, which it cannot leave, and cut what is too long."""
        flat = " ".join(text.split())
        return flat if len(flat) <= self._most else flat[: self._most - 1] + "…"

    def conclusion_line(self, each: Recollection, *, of: str | None = None) -> str:
        """Write a conclusion with the messages it rests on.

        Whom it is about is said where that is not ``of``.
        """
        about = "" if each.peer == of else f" (about {each.peer})"
        cited = [self._label(Named("message", m)) for m in each.evidence[:_CITED]]
        source = f" (from {', '.join(cited)})" if cited else ""
        return (
            f"[{self.label(each)}] {each.at:%Y-%m-%d %H:%M}{about} "
            f"{self.quote(each.text)}{source}"
        )

    def message_line(self, each: Recollection, *, found: bool = False) -> str:
        """Write a message; ``found`` marks what was searched for."""
        mark = "> " if found else ""
        said = self.quote(each.text)
        return (
            f"{mark}[{self.label(each)}] {each.at:%Y-%m-%d %H:%M} {each.peer}: {said}"
        )

    def conclusion_lines(
        self, found: Sequence[Recollection], *, of: str | None = None
    ) -> list[str]:
        """Write conclusions under a head for each level."""
        lines: list[str] = []
        for level, head in _LEVELS.items():
            of_level = [each for each in found if each.level == level]
            if of_level:
                lines.append(head)
                lines += [self.conclusion_line(each, of=of) for each in of_level]
        return lines

    def excerpt_lines(self, excerpts: Iterable[Excerpt]) -> list[str]:
        """Write excerpts, each under its session and how much was found in it."""
        lines: list[str] = []
        for each in excerpts:
            number = len(each.matches)
            lines.append(f"Session {each.session}, {number} found:")
            lines += [
                self.message_line(m, found=m.id in each.matches) for m in each.messages
            ]
        return lines


def ids_in(excerpts: Iterable[Excerpt]) -> tuple[str, ...]:
    """Return the ids of all messages of excerpts, each once."""
    messages = chain.from_iterable(each.messages for each in excerpts)
    return tuple(dict.fromkeys(each.id for each in messages))
