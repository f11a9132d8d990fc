"""``palimpsest reset``: set a processor back in the log, server stopped."""

from functools import partial
from typing import Annotated

import asyncpg
import msgspec
import typer

from infra.cli.one_line import run_at
from infra.cli.options import Data, Json
from infra.cli.place import NothingHere, Place, alone
from infra.postgres.connection import open_pool
from infra.postgres.role import usable_role
from infra.processor_reset import reset_processor
from infra.settings import Settings


def reset(
    processor: Annotated[str, typer.Argument(help="As palimpsest status names it.")],
    to: Annotated[
        int | None,
        typer.Option(min=0, help="Go on behind this position; never forward."),
    ] = None,
    data: Data = None,
    *,
    as_json: Json = False,
) -> None:
    """Let a processor go on where this log agrees with it; server stopped."""
    run_at(data, partial(_reset, processor=processor, to=to, as_json=as_json))


async def _reset(
    place: Place, _settings: Settings, *, processor: str, to: int | None, as_json: bool
) -> int:
    async with alone(place) as dsn:
        role = await usable_role(dsn, "work")
        try:
            async with await open_pool(
                dsn, role=role, name="palimpsest-operator", size=1
            ) as pool:
                done = await reset_processor(pool, processor, to)
        except asyncpg.UndefinedTableError as error:
            raise NothingHere(f"there is no Palimpsest in {place}") from error
    if done is None:
        typer.echo(f"no processor {processor} ever ran here", err=True)
        return 1
    if as_json:
        typer.echo(msgspec.json.encode(done).decode())
        return 0
    typer.echo(
        f"{processor} stood at position {done.before} and goes on behind"
        f" {done.position}"
    )
    return 0
