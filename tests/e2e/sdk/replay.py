"""Call everything the installed ``honcho-ai`` offers, of a real server; print JSON.

Run by the interpreter of either version, in either voice:

    python -m tests.e2e.sdk.replay sync http://127.0.0.1:8000 < keys.json

``keys.json`` is ``{}``, or the ``url`` of a server that wants keys, a workspace ``at``
it, and the keys ``admin``, ``workspace``, ``peer`` (ann's), ``session`` (s's),
``elsewhere``, ``expired`` and ``forged``.

What is printed: ``version``; ``told``, the chapters that ran; ``failed``, their
tracebacks; ``called``, the methods; ``missing``, what this version does not have; and
``never_called``, what it has and no chapter used.
"""

import asyncio
import importlib.metadata
import json
import sys
import traceback
import warnings
from typing import Any

import honcho

from tests.e2e.sdk.chapters import (
    chats,
    conclusions,
    errors,
    keys,
    messages,
    peers,
    recall,
    scopes,
    sessions,
    workspaces,
)
from tests.e2e.sdk.story import Story
from tests.e2e.sdk.voice import Voice

CHAPTERS = [
    workspaces,
    peers,
    sessions,
    messages,
    recall,
    conclusions,
    scopes,
    chats,
    errors,
    keys,
]


async def replay(voice: Voice, url: str, guarded: dict[str, str]) -> dict[str, Any]:
    """Run every chapter of every module; a failure ends its chapter alone."""
    told: list[str] = []
    failed: dict[str, str] = {}
    for module in CHAPTERS:
        for name, chapter in vars(module).items():
            if not name.startswith("chapter_"):
                continue
            story = Story(url, voice, guarded)
            told.append(name.removeprefix("chapter_"))
            try:
                await chapter(story)
            except Exception as error:  # noqa: BLE001  every failure is told
                failed[told[-1]] = _told(error)
            finally:
                await story.close()
    return {
        "version": importlib.metadata.version("honcho-ai"),
        "told": told,
        "failed": failed,
        "called": sorted(voice.called),
        "missing": sorted(voice.missing),
        "never_called": voice.never_called(honcho),
    }


def _told(error: Exception) -> str:
    """Return the traceback with what was at hand, for no rewritten assert tells it."""
    whole = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(whole.format())[-6_000:]


if __name__ == "__main__":
    warnings.simplefilter("ignore", DeprecationWarning)  # `card` is called on purpose
    heard = asyncio.run(
        replay(
            Voice(asynchronous=sys.argv[1] == "aio"),
            sys.argv[2],
            json.loads(sys.stdin.read() or "{}"),
        )
    )
    json.dump(heard, sys.stdout, indent=1)
    sys.exit(bool(heard["failed"]))
