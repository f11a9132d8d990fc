"""What environment, ``.env`` and ``config.toml`` each say, before they are merged."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from infra.settings.settings import Settings
from infra.settings.toml_file import TomlFile, read_toml


def sources() -> dict[str, Mapping[str, Any]]:
    """Return what each source sets of ours, the one that wins first."""
    return {
        "environment": EnvSettingsSource(Settings)(),
        ".env": DotEnvSettingsSource(Settings)(),
        "config.toml": TomlFile(Settings)(),
    }


def written() -> dict[str, str]:
    """Return everything written anywhere by its name in capitals, ours or not."""
    everything = _flat(read_toml(Path("config.toml")))
    for source in (DotEnvSettingsSource(Settings).env_vars, os.environ):
        everything |= {name.upper(): each for name, each in source.items() if each}
    return everything


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in table.items():
        name = f"{prefix}{key}".upper()
        if isinstance(value, Mapping):
            found |= _flat(value, f"{name}__")
        else:
            found[name] = str(value)
    return found
