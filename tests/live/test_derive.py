"""A real model asked to derive: whatever it says, only what was said is rested on."""

import json
from datetime import UTC, datetime

import pytest

from infra.llm.models import open_models
from infra.settings import Settings
from infra.settings.model_choice import ModelConfig
from infra.tokens.counter import O200kCounter
from processors.language_model import Malformed, Purpose
from processors.model_reasoner import ModelReasoner
from processors.reasoner import Said, Window
from tests.live.test_server import SAID, TALKATIVE
from tests.support.live_models import LOCAL

pytestmark = pytest.mark.live

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
LINES = [Said(f"m{n}", "ann", text, AT) for n, text in enumerate(SAID, 1)]
WINDOW = Window(
    said=LINES,
    observed=("ann",),
    purpose=Purpose(workspace="live", feature="deriver.representation"),
)
BIASED = json.loads(TALKATIVE["DERIVER_MODEL_CONFIG__OVERRIDES__PROVIDER_PARAMS"])
SEEDS = 8


def config_of(live, seed):
    """Ask the small model so that it hardly can say nothing, differently each time."""
    chosen = {"transport": live.transport, "model": live.model}
    if live.model == LOCAL:
        chosen |= {"temperature": 0.7, "frequency_penalty": 1, "seed": seed}
        chosen |= {"max_output_tokens": 200, "overrides": {"provider_params": BIASED}}
    return ModelConfig(**chosen)


async def test_facts_rest_on_lines_that_were_said_and_all_else_is_refused(live):
    given = {name.lower(): value for name, value in live.environment.items()}
    facts, refused, malformed = [], 0, 0
    async with open_models(Settings(_env_file=None, **given)) as models:
        for seed in range(SEEDS):
            model = await models.find(config_of(live, seed))
            reasoner = ModelReasoner(model, O200kCounter())
            try:
                drawn = await reasoner.derive(WINDOW)
            except Malformed:
                malformed += 1
                continue
            facts += drawn.facts
            refused += drawn.refused.facts + drawn.refused.premises
            if facts and (refused or live.model != LOCAL):
                break
    print(f"{len(facts)} facts, {refused} refused, {malformed} times no answer")
    assert facts or refused
    ids = {each.id for each in LINES}
    for fact in facts:
        assert fact.content.strip()
        assert fact.evidence
        assert set(fact.evidence) <= ids
