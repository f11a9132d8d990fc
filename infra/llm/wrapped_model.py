"""A model around another: it is named and configured as the one within."""

from collections.abc import Mapping

from processors.language_model import LanguageModel


class WrappedModel:
    """The names of a model within; a subclass fulfils ``LanguageModel`` around it."""

    def __init__(self, model: LanguageModel) -> None:
        self._inner = model

    @property
    def transport(self) -> str:
        return self._inner.transport

    @property
    def model(self) -> str:
        return self._inner.model

    @property
    def parameters(self) -> Mapping[str, str]:
        return self._inner.parameters
