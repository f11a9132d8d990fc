"""The port through which features get their models."""

from typing import Protocol

from infra.settings.model_choice import ModelConfig
from processors.language_model import LanguageModel


class FindModel(Protocol):
    """Finds the model of a feature."""

    async def find(self, config: ModelConfig) -> LanguageModel | None:
        """Return the configured model; None if its transport has no key."""
        ...
