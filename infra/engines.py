"""Which engine each feature runs on, from settings alone (architecture section 6)."""

from typing import Final

from infra.embedder.choice import chosen_embedding
from infra.embedder.process import EmbedderProcess
from infra.llm.endpoint import find_endpoint
from infra.settings import Settings
from infra.settings.model_choice import ModelChoice

OFFLINE: Final = "offline"


def engine_names(settings: Settings) -> dict[str, str]:
    """Name the engine of each feature, as ``up`` and ``settings`` print it.

    A feature runs on its configured model when there is a key for it, else on the
    offline engine. A model that is set and cannot be used is named too.
    """
    levels = settings.dialectic_levels
    chats = {
        name: _engine(settings, getattr(levels, name).model)
        for name in type(levels).model_fields
    }
    same = set(chats.values())
    return {
        "conclusions": _engine(settings, settings.deriver_model_config)
        + _unless(settings.deriver_enabled),
        "summaries": _engine(settings, settings.summary_model_config)
        + _unless(settings.summary_enabled),
        "chat": same.pop()
        if len(same) == 1
        else ", ".join(f"{level}: {engine}" for level, engine in chats.items()),
        "dreams": _dreams(settings),
        "vectors": _vectors(settings),
    }


def _dreams(settings: Settings) -> str:
    """Name who works in dreams; without a model for each there is nobody."""
    names = {
        "deduction": _engine(settings, settings.dream_deduction_model_config),
        "induction": _engine(settings, settings.dream_induction_model_config),
    }
    if OFFLINE in names.values():
        return f"{OFFLINE}: nothing dreams"
    same = set(names.values())
    told = ", ".join(f"{who}: {engine}" for who, engine in names.items())
    return (same.pop() if len(same) == 1 else told) + (
        "" if settings.dream_enabled else ", switched off"
    )


def _engine(settings: Settings, choice: ModelChoice) -> str:
    endpoint = find_endpoint(settings, choice.transport, choice.overrides)
    return OFFLINE if endpoint is None else f"{choice.transport}/{choice.model}"


def _unless(enabled: bool) -> str:  # noqa: FBT001  a setting's value
    return "" if enabled else ", where a configuration enables it"


def _vectors(settings: Settings) -> str:
    chosen = chosen_embedding(settings)
    config = settings.embedding_model_config
    if chosen is not None:
        dimensions = f"{chosen.asked.dimensions:,} dimensions"
        return f"{config.transport}/{config.model} ({dimensions})"
    bundled = f"{EmbedderProcess.model} (bundled)"
    if settings.chooses_embedder:
        return f"{bundled}; {config.transport}/{config.model} has no key here"
    return bundled
