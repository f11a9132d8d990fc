"""``palimpsest projector``: keeps the views folded; one at a time does."""

from functools import partial

from infra.cli.one_line import run_at
from infra.cli.options import Data, VitalsHost, VitalsPort, Wait
from infra.cli.work import work
from infra.roles import PROJECTOR


def projector(
    host: VitalsHost = "127.0.0.1",
    port: VitalsPort = 0,
    wait: Wait = 60.0,
    data: Data = None,
) -> None:
    """Fold the views until SIGINT or SIGTERM; beside another it waits to take over."""
    run_at(data, partial(work, role=PROJECTOR, at=(host, port), wait=wait))
