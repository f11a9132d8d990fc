"""One thing to tell outside, and what an engine took, as it is told."""

from collections.abc import Mapping
from typing import Any

import msgspec

from domain.event import Engine
from domain.recorded import Recorded


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell: its type and version, what it says, and of which event.

    ``run`` is what frequent ones are sampled by; None: it is always told. ``part``
    tells several of one event apart.
    """

    type: str
    version: int
    data: Mapping[str, Any]
    of: Recorded
    run: str | None = None
    part: int = 0


def took(engine: Engine) -> dict[str, Any]:
    """Return who it was, the milliseconds and the tokens."""
    call, usage = engine.call, engine.usage
    return {
        "engine": engine.name,
        "model": engine.model,
        "total_duration_ms": None if call is None else call.latency_ms,
        "input_tokens": usage.get("input", 0),
        "output_tokens": usage.get("output", 0),
        "cache_read_input_tokens": usage.get("cached", 0),
    }
