"""Templates of ``.env`` and ``config.toml``: every setting, commented out."""

import json
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from pydantic.fields import FieldInfo

from infra.settings.leaves import Path, environment_name, leaves
from infra.settings.sections import SECTIONS, section_of
from infra.settings.settings import Settings

_HEAD: Final = (
    "# Settings of Palimpsest with their defaults, made by",
    "# `palimpsest settings --template {kind}`. Take the # from what you change.",
    "# Order: environment, .env, config.toml, default.",
)

_Leaf = tuple[Path, Any, FieldInfo]


def env_template() -> str:
    """Return a ``.env`` in which nothing is set."""
    lines = [line.format(kind="env") for line in _HEAD]
    for section, found in _sections():
        lines += ["", f"# --- {section} ---"]
        for path, value, field in found:
            plain = isinstance(value, str)
            text = "" if value is None else value if plain else json.dumps(value)
            lines += ["", f"# {_meaning(field)}", f"# {environment_name(path)}={text}"]
    return "\n".join(lines) + "\n"


def toml_template() -> str:
    """Return a ``config.toml`` in which nothing is set."""
    lines = [line.format(kind="toml") for line in _HEAD]
    for section, found in _sections():
        named = [(_table(section, leaf[0]), leaf) for leaf in found]
        for table, inside in groupby(named, itemgetter(0)):
            lines += ["", f"# [{table}]"]
            for _, (path, value, field) in inside:
                key = path[-1] if len(path) > 1 else _key(section, path[0])
                lines += [f"# # {_meaning(field)}", f"# {key} = {_toml(value)}"]
    return "\n".join(lines) + "\n"


def _sections() -> Iterator[tuple[str, list[_Leaf]]]:
    """Yield what there is in each section, a table of TOML in one piece."""
    found = list(leaves(Settings.model_construct()))
    for section in SECTIONS:
        ours = [leaf for leaf in found if section_of(leaf[0][0]) == section]
        yield section, sorted(ours, key=lambda leaf: len(leaf[0]))


def _key(section: str, name: str) -> str:
    return name if section == "app" else name.removeprefix(f"{section}_")


def _table(section: str, path: Path) -> str:
    if len(path) == 1:
        return section
    return ".".join([section, _key(section, path[0]), *path[1:-1]])


def _meaning(field: FieldInfo) -> str:
    """Say what it means and what it may be."""
    bounds = {
        bound: getattr(each, bound)
        for each in field.metadata
        for bound in ("ge", "gt", "le")
        if hasattr(each, bound)
    }
    low = bounds.get("ge", bounds.get("gt"))
    high = bounds.get("le")
    reach = f" ({low} to {high})" if low is not None and high is not None else ""
    return f"{field.description}{reach}"


def _toml(value: Any) -> str:
    if value is None:
        return '""'
    if isinstance(value, dict):
        pairs = ", ".join(f"{key} = {_toml(each)}" for key, each in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return json.dumps(value)
