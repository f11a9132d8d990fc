"""The configured models, each of them journalled, counted and within budget."""

from collections.abc import Mapping

from infra.ledger.estimate import Estimate
from infra.ledger.ledger import Ledger
from infra.llm.find_model import FindModel
from infra.llm.journalled_model import JournalledModel
from infra.settings import Settings, SettingsUnusable
from infra.settings.model_choice import ModelConfig
from infra.settings.price import Price
from processors.language_model import LanguageModel
from processors.ports import TokenCounter


class JournalledModels:
    """Finds the model of a feature, as ``Models`` does."""

    def __init__(
        self,
        models: FindModel,
        ledger: Ledger,
        settings: Settings,
        tokens: TokenCounter,
    ) -> None:
        self._models = models
        self._ledger = ledger
        self._prices: Mapping[str, Price] = settings.llm_prices
        self._in_money = settings.budget_max_cost_usd is not None
        self._tokens = tokens

    async def find(self, config: ModelConfig) -> LanguageModel | None:
        """Return the configured model; None if its transport has no key.

        Raises:
            SettingsUnusable: there is a budget in money, and it has no price.
        """
        model = await self._models.find(config)
        if model is None:
            return None
        names = [config.model]
        if config.fallback is not None:
            names.append(config.fallback.model)
        estimate = Estimate(names, self._prices, self._tokens)
        if self._in_money and estimate.unpriced is not None:
            raise SettingsUnusable(
                f"BUDGET_MAX_COST_USD is set and the model {estimate.unpriced} has no"
                " price: give it one in LLM_PRICES, or cap BUDGET_MAX_TOKENS instead"
            )
        return JournalledModel(model, self._ledger, estimate)
