"""Who concludes and sums up: the model that is set, or the offline engine."""

import msgspec

from domain.session import SummaryKind
from infra.llm.find_model import FindModel
from infra.settings import Settings
from infra.settings.model_choice import ModelConfig
from processors.model_reasoner import Limits, ModelReasoner
from processors.offline_reasoner import OfflineReasoner
from processors.ports import TokenCounter
from processors.reasoner import Reasoner


class Reasoners(msgspec.Struct, frozen=True):
    """The reasoner of each feature.

    ``window_tokens`` is what a model reads at once of the messages that wait; None
    where each request is read by itself. ``gathers`` says whether it waits for more.
    """

    offline: OfflineReasoner
    conclusions: Reasoner
    summaries: Reasoner
    window_tokens: int | None
    gathers: bool


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
    window = settings.deriver_representation_batch_target_input_tokens
    return Reasoners(
        offline,
        conclusions or offline,
        await reasoner(settings.summary_model_config) or offline,
        None if conclusions is None else window,
        conclusions is not None and not settings.deriver_flush_enabled,
    )
