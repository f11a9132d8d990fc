"""``palimpsest verify``: is the log what was recorded, do the views follow from it?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Annotated

import asyncpg
import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from infra.cli.one_line import run_at
from infra.cli.options import Data, Json
from infra.cli.place import NothingHere, Place, beside, check_reachable
from infra.cli.screen import screen
from infra.cli.verify_lines import lines_of
from infra.key_source import master_key_of, present_signing_key
from infra.log_choice import log_settings
from infra.postgres.log import PostgresLog
from infra.postgres.migrate import check_migrated
from infra.proof.checkpoint import (
    CheckpointUnusable,
    SignedCheckpoint,
    read_checkpoint,
)
from infra.proof.signing_key import read_public_key
from infra.proof.verification import SAMPLE, Asked, verify
from infra.settings import Settings


def run_verify(  # noqa: PLR0913  options of the command line
    *,
    sample: Annotated[
        int, typer.Option(min=0, help="Sessions whose views are folded again.")
    ] = SAMPLE,
    everything: Annotated[
        bool, typer.Option("--all", help="Fold all views again, not a sample.")
    ] = False,
    log_only: Annotated[
        bool, typer.Option("--log-only", help="Chain and signatures; needs no key.")
    ] = False,
    seed: Annotated[str, typer.Option(help="Draws the same sessions again.")] = "",
    against: Annotated[
        list[Path] | None,
        typer.Option(help="Checkpoints kept elsewhere, one a line; again for more."),
    ] = None,
    public_key: Annotated[
        list[str] | None,
        typer.Option(help="Who must have signed those; again for more."),
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Check the log, its signatures and the views; 1 if anything is wrong."""
    if public_key and not against:
        raise typer.BadParameter("--public-key tells who signed --against")
    trusted = tuple(public_key or ())
    asked = Asked(seed=seed or token_hex(4), sample=sample, everything=everything)
    files = tuple(against or ())
    run_at(
        data,
        partial(
            _verify,
            asked=asked,
            kept=(files, trusted),
            log_only=log_only,
            as_json=as_json,
        ),
    )


async def _verify(
    place: Place,
    settings: Settings,
    *,
    asked: Asked,
    kept: tuple[tuple[Path, ...], tuple[str, ...]],
    log_only: bool,
    as_json: bool,
) -> int:
    files, trusted = kept
    present = present_signing_key(place.data, settings)
    asked = msgspec.structs.replace(
        asked,
        given=tuple(each for file in files for each in _read(file)),
        trusted=tuple(map(read_public_key, trusted)),
        present=None if present is None else present.public_key,
    )
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} of {task.total}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    async with beside(place) as dsn:
        await _check_migrated(place, dsn)
        opening = None if log_only else partial(_opened, place, settings, dsn)
        with bar:
            task = bar.add_task("", total=None)

            def show(doing: str, done: int, total: int) -> None:
                bar.update(task, description=doing, completed=done, total=total)

            report = await verify(dsn, opening, asked, show)
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
    else:
        for line in lines_of(report):
            screen().print(line)
    return 0 if report.ok else 1


async def _check_migrated(place: Place, dsn: str) -> None:
    try:
        await check_migrated(dsn)
    except asyncpg.UndefinedTableError as error:
        raise NothingHere(f"there is no Palimpsest in {place}") from error


@asynccontextmanager
async def _opened(
    place: Place, settings: Settings, dsn: str
) -> AsyncIterator[PostgresLog]:
    chosen = log_settings(settings, announces=False)
    if chosen.keys_dsn is not None:
        await check_reachable(chosen.keys_dsn, "KEYS_CONNECTION_URI")
    key = master_key_of(place.data, settings)
    async with PostgresLog.open(dsn, key, chosen) as log:
        await log.keys.verify()
        yield log


def _read(file: Path) -> list[SignedCheckpoint]:
    """Read the checkpoints of a file; of none, nothing would be proved."""
    found = []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        if line.strip():
            try:
                found.append(read_checkpoint(line))
            except CheckpointUnusable as error:
                raise CheckpointUnusable(f"{file}, line {number}: {error}") from error
    if not found:
        raise CheckpointUnusable(f"{file} holds no checkpoint")
    return found
