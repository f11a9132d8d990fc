"""The command ``palimpsest``, and what a signal does before there is anything to stop.

Half a second goes by until everything is imported: who stops ``up`` meanwhile has
stopped it well.
"""

import os
import signal
import sys
from types import FrameType
from typing import Final

STAYS: Final = (
    *(("up",), ("api",), ("projector",), ("worker",)),
    *(("relay", "run"), ("analytics", "run")),
)
"""Commands that end when they are told to: a signal is then no failure."""


def cli() -> None:
    """Run the command line."""
    if any(tuple(sys.argv[1 : 1 + len(words)]) == words for words in STAYS):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)
    from infra.cli.app import app  # noqa: PLC0415  signals first

    app()


def _leave(_number: int, _frame: FrameType | None) -> None:
    """Nothing was started yet: go."""
    os._exit(0)


if __name__ == "__main__":
    cli()
