"""Settings of a Honcho deployment that nothing here honours, said once at the start.

Most of theirs tune machinery that is not here; they are passed over in silence. Only
what somebody may rely on is named.
"""

from collections.abc import Mapping
from typing import Final

from infra.settings.given import written
from infra.settings.unusable import SettingsUnusable

_OFF: Final = {"", "0", "false", "no", "off", "none", "null"}

_DIFFERENT: Final = {
    "CACHE_": "there is no cache outside the process",
    "TELEMETRY_TRACE_PAYLOADS_": "what models are told is never sent on",
    "LANGFUSE_": "calls of models are recorded in the log only",
    "VECTOR_STORE_": "vectors are in Postgres",
    "REASONING_TRACES_": "calls of models are recorded in the log only",
    "COLLECT_METRICS_": "there is METRICS_ENABLED",
    "DB_SCHEMA": "tables have schemas of their own",
}

_HARMLESS: Final = {"VECTOR_STORE_TYPE", "VECTOR_STORE_NAMESPACE"}


def not_honoured() -> list[str]:
    """Return a line for each kind of setting that is set and does nothing.

    Raises:
        SettingsUnusable: a file cannot be read, or vectors are expected elsewhere.
    """
    check_vector_store()
    everything = written()
    lines = []
    for prefix, reason in _DIFFERENT.items():
        found = _relied_on(everything, prefix)
        if found:
            lines.append(f"not honoured: {', '.join(found)} ({reason})")
    return lines


def check_vector_store() -> None:
    """Refuse to start where vectors are expected in another store.

    Raises:
        SettingsUnusable: it names the store.
    """
    kind = written().get("VECTOR_STORE_TYPE", "pgvector").strip().lower()
    if kind != "pgvector":
        raise SettingsUnusable(
            f"the setting VECTOR_STORE_TYPE: {kind[:40]!r} is not supported, "
            "only pgvector; take it out or set it to pgvector"
        )


def _relied_on(everything: Mapping[str, str], prefix: str) -> list[str]:
    """Name what is set and on; a kind that is switched off asks for nothing."""
    if everything.get(f"{prefix}ENABLED", "on").strip().lower() in _OFF:
        return []
    return sorted(
        name
        for name, value in everything.items()
        if name.startswith(prefix)
        and name not in _HARMLESS
        and value.strip().lower() not in _OFF
        and (name, value) != ("DB_SCHEMA", "public")
    )
