"""The most that a call of a model may take, before it is made."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from domain.budget import Spent
from infra.llm.measured import cost_of
from infra.settings.price import Price
from processors.language_model import Completion, JsonSchema, Prompt, Usage
from processors.ports import TokenCounter

_OTHERS_COUNT: Final = 1.5
"""Tokens a model may count for each of ours; vocabularies differ."""

_TURN: Final = 16
"""Tokens of what stands around a turn or a tool, at most."""

_REPAIRED: Final = 2
"""Requests of one structured answer: it may be asked to mend what it gave."""


class Estimate:
    """Bounds the calls of one configured model and of the one that stands in for it.

    Both may be asked, and each may be paid for.
    A model that names itself otherwise than it was asked for has the price of what
    it was asked for. Text that a provider counts at more than 1.5 of our tokens for
    one is more than is foreseen here.
    """

    def __init__(
        self, names: Iterable[str], prices: Mapping[str, Price], tokens: TokenCounter
    ) -> None:
        self._names = tuple(names)
        self._prices = prices
        self._tokens = tokens

    @property
    def unpriced(self) -> str | None:
        """Name a model that may answer and has no price, if there is one."""
        return next((each for each in self._names if each not in self._prices), None)

    def most(self, prompt: Prompt, schema: JsonSchema | None, form: str) -> Spent:
        """Return what it is set aside: tokens in and out, and what they may cost.

        Its cost is 0 where a model has no price: a budget in money refuses those.
        """
        given = round(self.given(prompt, schema) * _OTHERS_COUNT)
        usage = Usage(input=given, output=prompt.max_tokens)
        if form == "structured":
            again = Usage(input=given + prompt.max_tokens, output=prompt.max_tokens)
            usage += again
        prices = [self._prices[each] for each in self._names if each in self._prices]
        cost = sum(_dearest(usage, price) for price in prices)
        return Spent(cost, len(self._names) * (usage.input + usage.output))

    def given(self, prompt: Prompt, schema: JsonSchema | None) -> int:
        """Count what a model is given, in our tokens."""
        texts = [each.content for each in prompt.turns]
        texts += [call.arguments for each in prompt.turns for call in each.calls]
        texts += [
            f"{each.name} {each.description} {_json(each.parameters)}"
            for each in prompt.tools
        ]
        if schema is not None:
            texts.append(_json(schema.shown or schema.schema))
        texts += [_json(each.artefacts) for each in prompt.turns if each.artefacts]
        return sum(self._tokens.count(text) + _TURN for text in texts)

    def told(self, text: str) -> int:
        """Count what a model told, where it did not say how much that was."""
        return self._tokens.count(text)

    def cost(self, completion: Completion) -> int | None:
        """Return millionths of a dollar; None where nobody set a price.

        What the completion says itself goes before. Of one that stood in only it
        could know: it may have been asked for under another name.
        """
        if completion.call.cost_usd_micros is not None:
            return completion.call.cost_usd_micros
        if completion.fallback:
            return None
        return self.cost_of(completion.usage, completion.model)

    def cost_of(self, usage: Usage, model: str) -> int | None:
        """Return what tokens of a model cost, as far as its price is known."""
        price = self._prices.get(model) or self._prices.get(self._names[0])
        return None if price is None else cost_of(usage, price)


def _dearest(usage: Usage, price: Price) -> int:
    """Return what tokens cost at most: as if all were dear, cached or not."""
    dear = max(price.input, price.cached or 0, price.cache_written or 0)
    return cost_of(usage, price.model_copy(update={"input": dear})) + 1


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
