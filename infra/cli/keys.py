"""``palimpsest keys``: a secret to sign with, and keys signed with it (HC 4.2)."""

import secrets
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import typer

from infra.auth.claims import Claims
from infra.auth.keyring import Keyring
from infra.cli.one_line import run
from infra.settings import Settings, SettingsUnusable

_SECRET_BYTES = 32
"""As many as HS256 has."""

keys = typer.Typer(help="Keys for the API: secret, new.", no_args_is_help=True)


@keys.command()
def secret() -> None:
    """Print a fresh AUTH_JWT_SECRET."""
    typer.echo(secrets.token_hex(_SECRET_BYTES))


@keys.command()
def new(
    workspace: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    peer: Annotated[str | None, typer.Option(help="Only this peer of it.")] = None,
    session: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    expires: Annotated[
        datetime | None, typer.Option(help="The key ends then (UTC).")
    ] = None,
    *,
    admin: Annotated[bool, typer.Option("--admin", help="May do everything.")] = False,
) -> None:
    """Print a new key, signed with AUTH_JWT_SECRET."""
    claims = Claims(admin=admin, workspace=workspace, peer=peer, session=session)
    run(partial(_new, claims=claims, expires=expires))


async def _new(found: Settings, *, claims: Claims, expires: datetime | None) -> None:
    if not (claims.admin or claims.workspace):
        raise SettingsUnusable(
            "say what the key is for: --admin, or --workspace with --peer or --session"
        )
    if found.auth_jwt_secret is None:
        raise SettingsUnusable(
            "AUTH_JWT_SECRET is not set; `palimpsest keys secret` makes one"
        )
    keyring = Keyring(found.auth_jwt_secret.get_secret_value())
    typer.echo(keyring.make(claims, made_at=datetime.now(UTC), expires_at=expires))
