"""The effective settings as a person may see them: values, origins, no secrets."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from pydantic import BaseModel, SecretStr

from infra.settings.given import sources
from infra.settings.leaves import Path, environment_name, leaves
from infra.settings.settings import Settings

_MASK: Final = "********"

_CREDENTIALS: Final = re.compile(r"://[^/@\s]*@")

_MAY_HOLD_KEYS: Final = "provider_params"


class SettingShown(msgspec.Struct, frozen=True):
    """One setting; ``origin`` is environment, .env, config.toml or default."""

    name: str
    value: Any
    origin: str
    meaning: str


def shown(settings: Settings) -> list[SettingShown]:
    """List every setting with its effective value and where it came from.

    Raises:
        SettingsUnusable: a file cannot be read.
    """
    said = sources()
    return [
        SettingShown(
            environment_name(path),
            _masked(path, value),
            _origin(path, said),
            field.description or "",
        )
        for path, value, field in leaves(settings)
    ]


def _origin(path: Path, said: Mapping[str, Mapping[str, Any]]) -> str:
    return next((name for name, tree in said.items() if _says(tree, path)), "default")


def _says(tree: Any, path: Path) -> bool:
    for step in path:
        if not isinstance(tree, Mapping) or step not in tree:
            return False
        tree = tree[step]
    return True


def _masked(path: Path, value: Any) -> Any:
    """Return JSON types; a secret is a mask, also inside an address."""
    if isinstance(value, SecretStr) or (path[-1] == _MAY_HOLD_KEYS and value):
        return _MASK
    if isinstance(value, str):
        return _CREDENTIALS.sub(f"://{_MASK}@", value)
    if isinstance(value, BaseModel):
        given = {name: getattr(value, name) for name in value.model_fields_set}
        return {name: _masked((name,), each) for name, each in given.items()}
    return value
