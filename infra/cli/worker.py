"""``palimpsest worker``: does what follows from what was said."""

from functools import partial

from infra.cli.one_line import run_at
from infra.cli.options import Data, VitalsHost, VitalsPort, Wait
from infra.cli.work import work
from infra.roles import WORKER


def worker(
    host: VitalsHost = "127.0.0.1",
    port: VitalsPort = 0,
    wait: Wait = 60.0,
    data: Data = None,
) -> None:
    """Derive, sum up, embed, dream, deliver until SIGINT or SIGTERM."""
    run_at(data, partial(work, role=WORKER, at=(host, port), wait=wait))
