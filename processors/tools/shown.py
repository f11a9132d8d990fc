"""What a model has been shown in one run, and by which labels it may name it.

Labels are short, so that they are copied rightly and cost little: ``c1`` is the first
conclusion that was shown, ``m1`` the first message. They stand for ids throughout a
run, in arguments and where an answer says what it rests on.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

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


class Shown:
    """Gives labels, remembers what they stand for, and writes the lines of a text."""

    def __init__(self, *, most: int = MOST_QUOTED) -> None:
        self._most = most
        self._by_label: dict[str, Recollection] = {}
        self._labels: dict[tuple[str, str], str] = {}
        self._counts = {"conclusion": 0, "message": 0}

    def label(self, each: Recollection) -> str:
        """Return what it is called, now and in all of the run."""
        key = (each.kind, each.id)
        if key not in self._labels:
            self._counts[each.kind] += 1
            self._labels[key] = f"{each.kind[0]}{self._counts[each.kind]}"
        label = self._labels[key]
        self._by_label[label] = each
        return label

    @property
    def everything(self) -> dict[str, Recollection]:
        """All that was shown, by label, in the order it first was."""
        return dict(self._by_label)

    def find(self, name: str) -> Recollection | None:
        """Return what a label stands for, or what was shown of that id."""
        bare = name.strip().strip("[]").removeprefix("id:").strip()
        if (found := self._by_label.get(bare.lower())) is not None:
            return found
        by_id = (self._labels.get((kind, bare)) for kind in self._counts)
        return next((self._by_label[each] for each in by_id if each), None)

    def id_of(self, name: str) -> str:
        """Return the id a label stands for; what is no label is taken for an id."""
        found = self.find(name)
        return name.strip() if found is None else found.id

    def quote(self, text: str) -> str:
        """Put a text on one line, which it cannot leave, and cut what is too long."""
        flat = " ".join(text.split())
        return flat if len(flat) <= self._most else flat[: self._most - 1] + "…"

    def conclusion_line(self, each: Recollection, *, of: str | None = None) -> str:
        """Write a conclusion; whom it is about, where that is not ``of``."""
        about = "" if each.peer == of else f" (about {each.peer})"
        return (
            f"[{self.label(each)}] {each.at:%Y-%m-%d %H:%M}{about} "
            f"{self.quote(each.text)}"
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
