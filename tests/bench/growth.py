"""How much slower it gets as the log grows: ``python -m tests.bench.growth``.

Fills one data folder with 10,000, 100,000 and 1,000,000 messages (sessions of 1,000,
see ``tests/bench/filling.py``; ``--sizes`` for others), and at each size measures the
latency of a session context of 2,000 tokens over HTTP, sessions far apart, and the
rate of appends of one event by 64 callers straight into the log, and how fast every
view is folded anew. Every figure has beside it its ratio to the first size's.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from infra.key_source import master_key_of
from infra.postgres.embedded import EmbeddedPostgres
from infra.postgres.log import LogSettings, PostgresLog
from infra.postgres.migrate import migrate
from infra.settings import Settings
from tests.bench.append import measure
from tests.bench.filling import LONG, WORKSPACE, add_messages, open_workspace
from tests.bench.reads import until_settled
from tests.bench.requests import get, load
from tests.support.server import palimpsest, running

SIZES = (10_000, 100_000, 1_000_000)
QUIET = {
    "DERIVER_ENABLED": "false",
    "SUMMARY_ENABLED": "false",
    "EMBED_MESSAGES": "false",
}
"""What follows a message is measured elsewhere."""

_APART = 7_919
"""A prime: connections ask about sessions that were not asked about lately."""


async def grow(data: Path, had: int, size: int, seconds: float) -> dict[str, float]:
    """Fill the log up to a size and measure appends; the server is not running."""
    postgres = EmbeddedPostgres(data)
    dsn = (await postgres.start()).dsn()
    try:
        await migrate(dsn)
        key = master_key_of(data, Settings())
        async with PostgresLog.open(dsn, key, LogSettings(announces=False)) as log:
            if not had:
                await open_workspace(log)
            with Progress(console=Console(stderr=True)) as bar:
                task = bar.add_task(f"messages up to {size:,}", total=size - had)
                await add_messages(log, had, size, lambda n: bar.advance(task, n))
            head = await log.store.head()
            appends = await measure(log, 64, 1, seconds)
    finally:
        await postgres.stop()
    return {"events": head, "appends_per_second": appends["appends_per_second"]}


async def ask(port: int, size: int, seconds: float) -> dict[str, float]:
    """Measure the latency of contexts, one after the other and 16 at once."""
    sessions = size // LONG

    def context(connection: int, n: int) -> bytes:
        session = (connection * _APART + n * 31) % sessions
        at = f"/v3/workspaces/{WORKSPACE}/sessions/s{session}"
        return get(f"{at}/context?tokens=2000")

    await load(port, 16, 1, context)
    found: dict[str, float] = {}
    for connections in (1, 16):
        measured = await load(port, connections, seconds, context)
        assert not measured.failures
        found[f"context_{connections}_median_ms"] = round(measured.median_ms, 2)
        found[f"context_{connections}_p99_ms"] = round(measured.p99_ms, 2)
    return found


def rebuilt(data: Path) -> dict[str, float]:
    """Fold every view anew, indexes and all, and say how many events a second."""
    rebuild = palimpsest("rebuild", "--all", "--json", "--data", str(data))
    told = subprocess.run(rebuild, check=True, stdout=subprocess.PIPE).stdout
    report = json.loads(told.splitlines()[-1])
    print(json.dumps(report), file=sys.stderr)
    return {"rebuilt_per_second": round(report["events"] / report["seconds"])}


def run(folder: Path, sizes: list[int], seconds: float) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = []
    had = 0
    for size in sizes:
        row = asyncio.run(grow(folder / "data", had, size, seconds))
        row |= rebuilt(folder / "data")
        with running(folder / "data", QUIET, lawful=False) as server:
            until_settled(server, bound=1_800)
            row |= asyncio.run(ask(server.port, size, seconds))
        rows.append(row)
        had = size
    return rows


def show(rows: list[dict[str, float]], console: Console) -> None:
    table = Table(*rows[0], title="As the log grows (in brackets: to the first size)")
    for row in rows:
        shown = [f"{row['events']:,}"]
        for name, figure in row.items():
            if name != "events":
                shown.append(f"{figure:,.1f} ({figure / rows[0][name]:.2f} x)")
        table.add_row(*shown)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if any(size % LONG for size in given.sizes):
        parser.error(f"sizes are multiples of {LONG}")
    with tempfile.TemporaryDirectory(prefix="palimpsest-") as folder:
        rows = run(Path(folder), given.sizes, given.seconds)
    if given.json:
        print(json.dumps(rows))
    else:
        show(rows, Console(width=160))


if __name__ == "__main__":
    main()
