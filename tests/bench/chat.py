"""Chat on a model of no latency: ``python -m tests.bench.chat [--questions N]``.

Fills a workspace with 1,000 messages and what is concluded of them, and asks one
question after the other, each in other words, of a server whose model answers at once
over a socket: what is measured is our side of an answer. First is the time from the
request to the first piece of the stream, whole that to its end, with the record of
the answer in the log. Memory recalls 25 conclusions of each kind and 25 messages.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from tests.bench.reads import processor_seconds, until_settled
from tests.bench.scripted_model import model_server
from tests.support.server import Server, running

PATH = "/v3/workspaces/bench"
BATCHES = 10
WARM = 5
THINGS = ("tea", "coffee", "snow", "trains", "bread", "chess", "rain", "boats")


async def measure(server: Server, questions: int) -> dict[str, Any]:
    """Fill the memory, then ask."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        for batch in range(BATCHES):
            said = [
                {"peer_id": "ann", "content": f"I like {_thing(n)} number {n}."}
                for n in range(100 * batch, 100 * batch + 100)
            ]
            path = f"{PATH}/sessions/s{batch % 3}/messages"
            (await http.post(path, json={"messages": said})).raise_for_status()
        await asyncio.to_thread(until_settled, server)
        for number in range(WARM):
            await _ask(http, number)
        before = processor_seconds(server)
        asked = [await _ask(http, WARM + number) for number in range(questions)]
        after = processor_seconds(server)
    firsts, wholes = zip(*asked, strict=True)
    return {
        "questions": questions,
        "first_ms": statistics.median(firsts),
        "first_p95_ms": sorted(firsts)[int(0.95 * questions)],
        "whole_ms": statistics.median(wholes),
        "processor_ms": {
            name: (after[name] - before[name]) * 1_000 / questions for name in after
        },
    }


async def _ask(http: httpx.AsyncClient, number: int) -> tuple[float, float]:
    """Return milliseconds to the first piece, and to the end."""
    asked = {"query": f"Does ann like {_thing(number)} {number}?", "stream": True}
    begun, first = time.perf_counter(), 0.0
    async with http.stream("POST", f"{PATH}/peers/ann/chat", json=asked) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if not first and '"delta"' in line:
                first = time.perf_counter()
    done = time.perf_counter()
    return (first - begun) * 1_000, (done - begun) * 1_000


def _thing(number: int) -> str:
    return THINGS[number % len(THINGS)]


def show(found: dict[str, Any], console: Console) -> None:
    """Print what was found."""
    table = Table("what", "figure")
    for name in ("first_ms", "first_p95_ms", "whole_ms"):
        table.add_row(name, f"{found[name]:.1f}")
    for name, spent in found["processor_ms"].items():
        table.add_row(f"processor time of {name}, ms", f"{spent:.1f}")
    console.print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="palimpsest-") as folder,
        model_server() as url,
    ):
        level = {"OVERRIDES": {"API_KEY": "k", "BASE_URL": url}}
        levels = json.dumps({"low": {"MODEL_CONFIG": level}})
        settings = {"DIALECTIC_LEVELS": levels}
        data = Path(folder) / "data"
        with running(data, settings, lawful=False) as server:
            found = asyncio.run(measure(server, given.questions))
    if given.json:
        print(json.dumps(found))
    else:
        show(found, Console(width=160))


if __name__ == "__main__":
    main()
