"""``config.toml`` as a source of settings: sections are tables, keys in any case."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from infra.settings.unusable import SettingsUnusable

NAME: Final = "config.toml"

_VERBATIM: Final = "provider_params"
"""What is below goes to a provider as it is written."""


class TomlFile(PydanticBaseSettingsSource):
    """Flattens ``[deriver] enabled`` to ``deriver_enabled``; ``[app]`` adds nothing."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        self._flat = read_toml(Path(NAME))

    def get_field_value(
        self,
        field: FieldInfo,  # noqa: ARG002  the name is enough
        field_name: str,
    ) -> tuple[Any, str, bool]:
        return self._flat.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        return {name: value for name, value in self._flat.items() if name in fields}


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a file sets by flat name; nothing where there is no file.

    Raises:
        SettingsUnusable: it is no TOML.
    """
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsUnusable(f"{path.name} cannot be read: {error}") from None
    flat: dict[str, Any] = {}
    for section, keys in _small(written).items():
        if not isinstance(keys, dict):
            flat[section] = keys
            continue
        prefix = "" if section == "app" else f"{section}_"
        flat |= {f"{prefix}{key}": value for key, value in keys.items()}
    return flat


def _small(table: Mapping[str, Any]) -> dict[str, Any]:
    """Write keys small, and leave out what is empty as the environment does."""
    return {
        key.lower(): (
            _small(value)
            if isinstance(value, dict) and key.lower() != _VERBATIM
            else value
        )
        for key, value in table.items()
        if value != ""
    }
