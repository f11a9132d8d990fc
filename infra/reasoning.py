"""Who concludes and sums up: the model that is set, or the offline engine."""

from datetime import timedelta

import msgspec

from domain.session import SummaryKind
from infra.llm.find_model import FindModel
from infra.settings import Settings
from infra.settings.model_choice import ModelConfig
from processors.derive_conclusions import Gathering
from processors.gates import Gates
from processors.model_reasoner import Limits, ModelReasoner
from processors.offline_reasoner import OfflineReasoner
from processors.ports import Neighbours, TokenCounter, Tokenizer
from processors.reasoner import Reasoner
from processors.said_again import SaidAgain, Sameness


class Reasoners(msgspec.Struct, frozen=True):
    """The reasoner of each feature.

    ``gathers`` says how a model is asked to conclude; None where the offline engine
    reads each request by itself, at once.
    """

    offline: OfflineReasoner
    conclusions: Reasoner
    summaries: Reasoner
    gathers: Gathering | None


async def make_reasoners(
    settings: Settings, models: FindModel, tokens: TokenCounter
) -> Reasoners:
    """Return the reasoners that settings describe (architecture section 6)."""
    summaries: dict[SummaryKind, int] = {
        "short": settings.summary_max_tokens_short,
        "long": settings.summary_max_tokens_long,
    }
    offline = OfflineReasoner(tokens, summaries)

    async def reasoner(config: ModelConfig) -> Reasoner | None:
        model = await models.find(config)
        if model is None:
            return None
        limits = Limits(
            input=settings.deriver_max_input_tokens,
            facts=config.max_output_tokens or settings.llm_default_max_tokens,
            summaries=summaries,
        )
        return ModelReasoner(model, tokens, limits)

    conclusions = await reasoner(settings.deriver_model_config)
    return Reasoners(
        offline,
        conclusions or offline,
        await reasoner(settings.summary_model_config) or offline,
        None if conclusions is None else _gathering(settings),
    )


def _gathering(settings: Settings) -> Gathering:
    """Return when a model is asked, and of how much (RS 1.4, 12)."""
    age = settings.deriver_representation_batch_max_age_seconds
    gates = Gates(
        tokens=settings.deriver_representation_batch_work_unit_target_tokens,
        age=timedelta(seconds=age) if age else None,
        flush=settings.deriver_flush_enabled,
    )
    return Gathering(gates, settings.deriver_representation_batch_target_input_tokens)


def said_again(
    settings: Settings, reasoners: Reasoners, near: Neighbours, tokens: Tokenizer
) -> SaidAgain | None:
    """Return who finds what is said again in other words; None where nobody does."""
    if not settings.deriver_deduplicate or reasoners.gathers is None:
        return None
    sameness = Sameness(
        settings.deriver_deduplicate_distance,
        settings.deriver_deduplicate_uniqueness_weight,
    )
    return SaidAgain(near, tokens, sameness)
