"""``palimpsest relay acls``: what each role needs of brokers with an authorizer."""

import shlex
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Annotated, Final

import msgspec
import typer

from infra.cli.one_line import run
from infra.cli.options import Json
from infra.kafka.acls import ROLES, acls_of, principal_of
from infra.settings import Settings

_TOOL: Final = (
    *("kafka-acls.sh", "--bootstrap-server", "{}"),
    *("--command-config", "admin.properties"),
)

Principals = Annotated[
    list[str] | None,
    typer.Option(
        "--principal",
        metavar="ROLE=PRINCIPAL",
        help="Who a role is, as in worker=User:w; again for another. As a rule"
        " User:palimpsest-worker and so on, by KAFKA_GROUP_PREFIX.",
    ),
]
Group = Annotated[
    str | None, typer.Option(help="The consumer group of the reader, if it has one.")
]


def relay_acls(
    principal: Principals = None,
    group: Group = None,
    as_json: Json = False,  # noqa: FBT002  a switch of the command line
) -> None:
    """Print what each role needs of brokers with an authorizer, for kafka-acls.sh.

    No broker is asked. Names are those of the settings; admin.properties is yours.
    """
    told = dict(_role(each) for each in principal or ())
    run(partial(_acls, told=told, group=group, as_json=as_json))


def _role(told: str) -> tuple[str, str]:
    role, _, who = told.partition("=")
    if role not in ROLES or ":" not in who:
        said = f"{told} is not as in worker=User:w, roles are {', '.join(ROLES)}"
        raise typer.BadParameter(said)
    return role, who


async def _acls(
    settings: Settings, *, told: dict[str, str], group: str | None, as_json: bool
) -> None:
    principals = {role: principal_of(settings, role) for role in ROLES} | told
    found = acls_of(settings, principals, group)
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    for line in _lines(settings, (each.words for each in found)):
        typer.echo(line)


def _lines(settings: Settings, told: Iterable[Sequence[str]]) -> Iterable[str]:
    servers = settings.kafka_bootstrap_servers or "localhost:9092"
    begin = [each.format(servers) for each in _TOOL]
    for words in told:
        yield shlex.join([*begin, *words])
