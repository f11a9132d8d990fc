"""The sections of settings: a name's first words (RS 12)."""

from typing import Final

SECTIONS: Final = (
    *(
        "app",
        "db",
        "keys",
        "auth",
        "llm",
        "budget",
        "embedding",
        "rerank",
        "deriver",
        "peer_card",
    ),
    *("dialectic", "summary", "dream", "webhook", "feed", "kafka"),
    *("metrics", "otel", "telemetry", "sentry"),
)


def section_of(name: str) -> str:
    """Return the section of a flat name; what has no prefix belongs to the app."""
    return next((each for each in SECTIONS if name.startswith(f"{each}_")), "app")
