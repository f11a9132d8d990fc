"""The settings one by one: each leaf of the tree with its path and its field."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Path = tuple[str, ...]


def leaves(settings: BaseModel) -> Iterator[tuple[Path, Any, FieldInfo]]:
    """Yield path, value and field of every setting, in the order they are declared."""
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        at = (field.alias or name,)
        if isinstance(value, BaseModel) and field.default is not None:
            for below, each, its in leaves(value):
                yield at + below, each, its
        else:
            yield at, value, field


def environment_name(path: Path) -> str:
    """Write a path as the environment does: ``DERIVER_MODEL_CONFIG__MODEL``."""
    return "__".join(path).upper()
