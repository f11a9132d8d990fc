"""Workspace, session and message settings, merged and resolved (HC 5, RS 1.2).

Configurations are stored as sent and echoed as stored; defaults are applied only
here, when a decision needs them.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from domain.languages import LANGUAGES

Configuration = dict[str, Any]


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force for one message, after all levels were merged.

    ``language`` is what search takes it to be written in; None: whatever it looks like.
    """

    reasoning: bool = True
    custom_instructions: str | None = None
    summary: bool = True
    messages_per_short_summary: int = 20
    messages_per_long_summary: int = 60
    language: str | None = None


def merge_configuration(stored: Configuration, sent: Configuration) -> Configuration:
    """Overwrite whole top-level sections, as PUT does (HC E03, 5.2)."""
    return {**stored, **sent}


def is_same(one: object, other: object) -> bool:
    """Tell whether two JSON values are the same one: ``1`` is not ``true``."""
    return msgspec.json.encode(one, order="deterministic") == msgspec.json.encode(
        other, order="deterministic"
    )


def resolve(*levels: Mapping[str, Any] | None) -> Resolved:
    """Merge levels of growing precedence; a null never overrides (HC 5.3).

    Sections that are not objects, and members of a wrong type, count as absent:
    unknown shapes may be stored, they never break processing.
    """
    reasoning: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    search: dict[str, Any] = {}
    for level in levels:
        if level is None:
            continue
        if level.get("skip_deriver") is True:
            reasoning["enabled"] = False
        for section, into in (
            ("deriver", reasoning),
            ("reasoning", reasoning),
            ("summary", summary),
            ("search", search),
        ):
            given = level.get(section)
            if isinstance(given, Mapping):
                into.update({k: v for k, v in given.items() if v is not None})
    return Resolved(
        reasoning=_flag(reasoning.get("enabled")),
        custom_instructions=_text(reasoning.get("custom_instructions")),
        summary=_flag(summary.get("enabled")),
        messages_per_short_summary=_count(
            summary.get("messages_per_short_summary"), 20
        ),
        messages_per_long_summary=_count(summary.get("messages_per_long_summary"), 60),
        language=_language(search.get("language")),
    )


def _flag(value: object) -> bool:
    return value if isinstance(value, bool) else True


def _language(value: object) -> str | None:
    return value if isinstance(value, str) and value in LANGUAGES else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _count(value: object, default: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        return default
    return value


def uses_cards(*levels: Mapping[str, Any] | None, otherwise: bool) -> bool:
    """Tell whether peer cards are used: levels of growing precedence (HC 5.1)."""
    return _switch("peer_card", "use", *levels, otherwise=otherwise)


def makes_cards(*levels: Mapping[str, Any] | None, otherwise: bool) -> bool:
    """Tell whether agents may write peer cards (RS 5)."""
    return _switch("peer_card", "create", *levels, otherwise=otherwise)


def dreams(*levels: Mapping[str, Any] | None, otherwise: bool) -> bool:
    """Tell whether dreams come by themselves (RS 6.1)."""
    return _switch("dream", "enabled", *levels, otherwise=otherwise)


def _switch(
    section: str, name: str, *levels: Mapping[str, Any] | None, otherwise: bool
) -> bool:
    used = otherwise
    for level in levels:
        of = None if level is None else level.get(section)
        given = of.get(name) if isinstance(of, Mapping) else None
        used = given if isinstance(given, bool) else used
    return used


def agents_may_retract_explicit(configuration: Mapping[str, Any]) -> bool:
    """Tell whether a workspace lets agents retract what peers said (RS 14 item 5)."""
    section = configuration.get("retraction")
    given = section if isinstance(section, Mapping) else {}
    return given.get("agents_may_retract_explicit") is True
