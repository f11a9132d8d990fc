"""The process log: text for a person, or a line of JSON each, saying what it is about.

An exception is its type and the places it came through: its text may quote somebody.
Below ``WARNING`` only our own code speaks; at info none of it says any content.
"""

import asyncio
import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from infra.settings import Settings
from infra.telemetry.said_once import SaidOnce
from infra.telemetry.under_way import under_way

_LOG: Final = logging.getLogger("palimpsest.process")

OURS: Final = frozenset(
    {
        *("palimpsest", "infra", "processors", "commands"),
        *("projections", "read_api", "domain"),
    }
)
"""First parts of the names of our own loggers."""

_CONTROLS: Final = {code: repr(chr(code))[1:-1] for code in (*range(32), 127, 133)}
"""Control characters as Python writes them: a line stays one."""

_PLACES: Final = 8
"""Most frames of a traceback that are told, the innermost."""


def start_logging(settings: Settings) -> None:
    """Write the process log to standard error, as settings say."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if writes_json(settings) else TextLines())
    handler.addFilter(_speaks)
    handler.addFilter(SaidOnce())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    asyncio.get_running_loop().set_exception_handler(_unforeseen)


def writes_json(settings: Settings) -> bool:
    """Whether lines are JSON: unless it is read on a terminal, or set otherwise."""
    if settings.log_format == "auto":
        return not sys.stderr.isatty()
    return settings.log_format == "json"


class JsonLines(logging.Formatter):
    """One object a line: when, how bad, who says it, what, and what it is about."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_about(record),
        }
        if record.exc_info and record.exc_info[0] is not None:
            told["error"] = record.exc_info[0].__name__
            told["places"] = _places(record)
        return json.dumps(told, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """Time, level, logger and message, and in brackets what it is about."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        line = self.formatMessage(self._ready(record))
        about = " ".join(f"{name}={value}" for name, value in _about(record).items())
        if about:
            line = f"{line} [{about}]"
        if record.exc_info and record.exc_info[0] is not None:
            places = " < ".join(reversed(_places(record)))
            line = f"{line}: {record.exc_info[0].__name__} at {places}"
        return line.translate(_CONTROLS)

    def _ready(self, record: logging.LogRecord) -> logging.LogRecord:
        record.message = record.getMessage()
        record.asctime = self.formatTime(record)
        return record


def _about(record: logging.LogRecord) -> dict[str, Any]:
    """Return what is under way, and what a line brings itself in ``extra``."""
    return {**under_way(), **getattr(record, "about", {})}


def _places(record: logging.LogRecord) -> list[str]:
    exc_info = record.exc_info
    frames = traceback.extract_tb(exc_info[2] if exc_info else None)[-_PLACES:]
    return [f"{Path(each.filename).stem}:{each.lineno}" for each in frames]


def _speaks(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in OURS


def _unforeseen(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say what nobody waited for; the event loop itself would quote the exception."""
    error = context.get("exception")
    if isinstance(error, BaseException):
        _LOG.error("an error nobody waited for", exc_info=error)
    else:
        _LOG.error("the event loop reports %s", context.get("message"))
