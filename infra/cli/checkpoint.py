"""``palimpsest checkpoint``: the newest signed checkpoint, to be kept elsewhere."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import asyncpg
import msgspec
import typer

from infra.cli.one_line import run_at
from infra.cli.options import Data
from infra.cli.place import NothingHere, Place, beside
from infra.key_source import signing_key_of
from infra.postgres.migrate import check_migrated
from infra.postgres.signed_checkpoints import SignedCheckpoints
from infra.proof.checkpoint import printed
from infra.proof.signer import Signer
from infra.settings import Settings


def checkpoint(
    *,
    now: Annotated[
        bool, typer.Option("--now", help="Sign the log's end first, with the key here.")
    ] = False,
    data: Data = None,
) -> None:
    """Print the newest signed checkpoint as one line of JSON; 1 if there is none.

    With --now it is the one signed by the key here, whoever else signs.
    """
    run_at(data, partial(_checkpoint, now=now))


async def _checkpoint(place: Place, settings: Settings, *, now: bool) -> int:
    async with beside(place) as dsn:
        try:
            await check_migrated(dsn)
        except asyncpg.UndefinedTableError as error:
            raise NothingHere(f"there is no Palimpsest in {place}") from error
        db = await asyncpg.connect(dsn)
        try:
            checkpoints = SignedCheckpoints(db)
            if now:
                key = signing_key_of(place.data, settings)
                signer = Signer(checkpoints, key, lambda: datetime.now(UTC))
                newest = await signer.sign()
            else:
                newest = await checkpoints.newest()
        finally:
            await db.close()
    if newest is None:
        typer.echo("nothing is signed yet", err=True)
        return 1
    if not newest.is_genuine:
        typer.echo("the newest is forged: run palimpsest verify", err=True)
        return 1
    typer.echo(msgspec.json.encode(printed(newest)).decode())
    return 0
