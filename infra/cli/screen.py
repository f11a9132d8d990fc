"""Where a command shows what it found: a terminal, or a file and a pipe."""

from typing import Final

from rich.console import Console

_WIDE: Final = 2_000
"""Columns where no terminal sets a bound: a record stays one line."""


def screen() -> Console:
    """Return the standard output, as wide as it is."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDE)
