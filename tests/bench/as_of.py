"""Reads of now and of the past: ``python -m tests.bench.as_of [--seconds S] [--json]``.

On the workspace of ``tests.bench.reads``, each question is asked of now, as of the
log's end (so that both show the same) and as of its middle, in turns, by 16
connections. What counts is the ratio of both: of latencies, and of the milliseconds
of processor time a request takes of server and Postgres, which neighbours on the
machine disturb less.
"""

import asyncio
from collections.abc import Callable
from statistics import median

import httpx
import msgspec
from rich.console import Console
from rich.table import Table

from tests.bench.command import command
from tests.bench.reads import (
    _LIKES,
    _PLACES,
    CONNECTIONS,
    SESSIONS,
    fill,
    processor_seconds,
    until_settled,
)
from tests.bench.requests import get, load, post
from tests.support.server import Server

TURNS = 3
AT = "/v3/workspaces/bench"
Question = Callable[[str], Callable[[int, int], bytes]]
"""From what is added to a query string to what the n-th request of a connection is."""


def _representation(when: str) -> Callable[[int, int], bytes]:
    def make(_: int, n: int) -> bytes:
        path = f"{AT}/peers/{('alice', 'bob')[n % 2]}/representation?{when}"
        return post(path, b"{}")

    return make


def _searched(when: str) -> Callable[[int, int], bytes]:
    def make(_: int, n: int) -> bytes:
        query = f"{_LIKES[n % 8]} at the {_PLACES[n % 7]}"
        path = f"{AT}/peers/{('alice', 'bob')[n % 2]}/representation?{when}"
        return post(path, msgspec.json.encode({"search_query": query}))

    return make


def _context(when: str) -> Callable[[int, int], bytes]:
    def make(connection: int, n: int) -> bytes:
        session = (connection + n) % SESSIONS
        return get(f"{AT}/sessions/s{session}/context?tokens=2000&{when}")

    return make


def _peer_context(when: str) -> Callable[[int, int], bytes]:
    def make(_: int, n: int) -> bytes:
        return get(f"{AT}/peers/{('alice', 'bob')[n % 2]}/context?{when}")

    return make


def _page(when: str) -> Callable[[int, int], bytes]:
    def make(connection: int, n: int) -> bytes:
        session = (connection + n) % SESSIONS
        return post(f"{AT}/sessions/s{session}/messages/list?size=50&{when}", b"{}")

    return make


def _search(when: str) -> Callable[[int, int], bytes]:
    def make(connection: int, n: int) -> bytes:
        query = f"{_LIKES[n % 8]} at the {_PLACES[n % 7]}"
        session = (connection + n) % SESSIONS
        body = msgspec.json.encode({"query": query, "limit": 10})
        return post(f"{AT}/sessions/s{session}/search?{when}", body)

    return make


QUESTIONS: dict[str, Question] = {
    "representation": _representation,
    "representation, searched": _searched,
    "peer context": _peer_context,
    "context of 2,000 tokens": _context,
    "page of 50": _page,
    "session search": _search,
}


async def run(server: Server, seconds: float) -> dict[str, dict[str, float]]:
    await fill(server.port)
    await asyncio.to_thread(until_settled, server)
    asked = await asyncio.to_thread(
        httpx.get, f"{server.url}{AT}/sessions/s0/summaries"
    )
    head = int(asked.headers["x-position"])
    moments = {
        "now": "",
        "as of the end": f"as_of={head}",
        "as of the middle": f"as_of={head // 2}",
    }
    result: dict[str, dict[str, float]] = {}
    for name, question in QUESTIONS.items():
        turns: dict[str, list[dict[str, float]]] = {when: [] for when in moments}
        for _ in range(TURNS):
            for when, query in moments.items():
                make = question(query)
                await load(server.port, CONNECTIONS, 1, make)
                turns[when].append(await _turn(server, seconds / TURNS, make))
        for when, measured in turns.items():
            figures = {
                key: median(each[key] for each in measured) for key in measured[0]
            }
            result[f"{name}, {when}"] = figures
            now = result[f"{name}, now"]
            for key in ("median_ms", "processor_ms"):
                figures[f"{key}_ratio"] = round(figures[key] / now[key], 2)
    return result


async def _turn(
    server: Server, seconds: float, make: Callable[[int, int], bytes]
) -> dict[str, float]:
    before = processor_seconds(server)
    measured = await load(server.port, CONNECTIONS, seconds, make)
    after = processor_seconds(server)
    assert not measured.failures
    spent = {
        kind: 1000 * (after[kind] - used) / measured.requests
        for kind, used in before.items()
    }
    return {
        "per_second": measured.per_second,
        "median_ms": measured.median_ms,
        "p99_ms": measured.p99_ms,
        "server_ms": spent["server"],
        "postgres_ms": spent["postgres"],
        "processor_ms": spent["server"] + spent["postgres"] + spent["embedder"],
    }


def show(result: dict[str, dict[str, float]], console: Console) -> None:
    columns = list(next(iter(result.values())))
    table = Table("what", *columns, title=f"Now and then, {CONNECTIONS} connections")
    for name, figures in result.items():
        table.add_row(name, *(f"{figures[each]:,.2f}" for each in columns))
    console.print(table)


if __name__ == "__main__":
    command(__doc__, 3, run, show)
