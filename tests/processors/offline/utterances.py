"""Reads the table beside it: one message, and what may be concluded from it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

TABLE = Path(__file__).with_name("utterances.txt")


@dataclass(frozen=True)
class Row:
    """One message and the conclusions it must give, in order."""

    kind: str
    author: str
    at: datetime
    text: str
    expected: tuple[str, ...]


def rows() -> list[Row]:
    """Every row of the table, in order."""
    kind, found = "", []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            kind = line.removeprefix("## ")
        elif line.startswith("= ") and line != "= none":
            last = found.pop()
            more = (*last.expected, line.removeprefix("= "))
            found.append(Row(last.kind, last.author, last.at, last.text, more))
        elif " | " in line and not line.startswith("# "):
            head, text = line.split(" | ", 1)
            author, day = head.split()
            at = datetime.fromisoformat(f"{day}T14:05:00").replace(tzinfo=UTC)
            found.append(Row(kind, author, at, text.replace("\\n", "\n"), ()))
    return found
