"""``palimpsest settings``: what is set, where it came from, and templates of it."""

from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from infra.cli.one_line import run
from infra.cli.options import Json
from infra.cli.screen import screen
from infra.engines import engine_names
from infra.settings import Settings
from infra.settings.shown import SettingShown, shown
from infra.settings.template import env_template, toml_template
from infra.settings.theirs import not_honoured


class Kind(StrEnum):
    """The files a template is made for."""

    TOML = "toml"
    ENV = "env"


def settings(
    template: Annotated[
        Kind | None, typer.Option(help="Print a template instead.")
    ] = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Print each effective setting, where it came from, and each feature's engine."""
    if template is not None:
        text = env_template() if template is Kind.ENV else toml_template()
        typer.echo(text, nl=False)
        return
    run(partial(_settings, as_json=as_json))


async def _settings(found: Settings, *, as_json: bool) -> None:
    listed, engines, ignored = shown(found), engine_names(found), not_honoured()
    if as_json:
        told = {"settings": listed, "engines": engines, "not_honoured": ignored}
        typer.echo(msgspec.json.encode(told).decode())
        return
    screen().print(_settings_table(listed))
    table = Table("feature", "engine")
    for feature, engine in engines.items():
        table.add_row(feature, engine)
    screen().print(table)
    for line in ignored:
        screen().print(line, markup=False)


def _settings_table(listed: list[SettingShown]) -> Table:
    table = Table("setting", "value", "from")
    for each in listed:
        table.add_row(each.name, escape(_text(each.value)), each.origin)
    return table


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
