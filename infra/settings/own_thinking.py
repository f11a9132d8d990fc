"""What was set for one provider's model never reaches another's (RS 8.1)."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from infra.settings.model_choice import spelled

_OF_A_PROVIDER: Final = ("thinking_effort", "thinking_budget_tokens", "overrides")
"""What a change of transport leaves behind: thought, and a key or an address."""

_USUAL: Final = "openai"


class OwnThinking(PydanticBaseSettingsSource):
    """A source of settings; what stronger ones give to another transport yields.

    Sources are merged leaf by leaf. A transport that the environment changes would
    otherwise inherit how hard another provider's model was told to think in a file,
    and send its key to that provider's address.
    """

    def __init__(self, source: PydanticBaseSettingsSource) -> None:
        super().__init__(source.settings_cls)
        self._source = source

    def get_field_value(
        self, field: FieldInfo, field_name: str
    ) -> tuple[Any, str, bool]:
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        self._source._set_current_state(self.current_state)  # noqa: SLF001  as its caller does
        self._source._set_settings_sources_data(self.settings_sources_data)  # noqa: SLF001
        return _yielding(self._source(), self.current_state)


def _yielding(weaker: Mapping[str, Any], stronger: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(weaker)
    for name, value in weaker.items():
        over = stronger.get(name)
        if isinstance(value, Mapping) and isinstance(over, Mapping):
            kept[name] = _yielding(value, over)
    chosen = spelled(stronger).get("transport")
    if chosen is not None and spelled(weaker).get("transport", _USUAL) != chosen:
        for name in _OF_A_PROVIDER:
            kept.pop(name, None)
    return kept
