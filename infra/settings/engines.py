"""Which engine each feature runs on, from settings alone (architecture section 6)."""

import os
from typing import Final

from infra.settings.model_choice import EmbeddingConfig, ModelChoice
from infra.settings.settings import Settings

_OFFLINE: Final = "offline"


def engine_names(settings: Settings) -> dict[str, str]:
    """Return the engine of each feature: a model whose key is set, else offline."""
    levels = settings.dialectic_levels
    chats = {
        name: _engine(settings, getattr(levels, name).model)
        for name in type(levels).model_fields
    }
    same = set(chats.values())
    return {
        "conclusions": _engine(settings, settings.deriver_model_config),
        "summaries": _engine(settings, settings.summary_model_config),
        "chat": same.pop()
        if len(same) == 1
        else ", ".join(f"{level}: {engine}" for level, engine in chats.items()),
        "vectors": _vectors(settings),
    }


def key_of(settings: Settings, choice: ModelChoice | EmbeddingConfig) -> str | None:
    """Return the key a model is spoken to with, its own before its transport's."""
    overrides = choice.overrides
    if overrides.api_key is not None:
        return overrides.api_key.get_secret_value()
    if overrides.api_key_env is not None:
        return os.environ.get(overrides.api_key_env) or None
    if choice.transport == "openai" and settings.llm_openai_api_key is not None:
        return settings.llm_openai_api_key.get_secret_value()
    return None


def _engine(settings: Settings, choice: ModelChoice) -> str:
    if choice.transport != "openai" or key_of(settings, choice) is None:
        return _OFFLINE
    return f"{choice.transport}/{choice.model}"


def _vectors(settings: Settings) -> str:
    choice = settings.embedding_model_config
    if not settings.chooses_embedder:
        return "bundled"
    return f"{choice.transport}/{choice.model}"
