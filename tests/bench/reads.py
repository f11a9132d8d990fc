"""Reads over HTTP: ``python -m tests.bench.reads [--seconds S] [--json]``.

Starts a server on a temporary folder, fills a workspace (10 sessions of 200 messages,
two authors who tell about themselves), and asks at 16 connections for one message, a
page of 50, a session context of 2,000 tokens, a representation and a session search.
Beside rate and latency it says where the time goes: milliseconds of processor time
each request takes of server, Postgres, embedder and of this client.
"""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from tests.bench.command import command
from tests.bench.http import until_drained
from tests.bench.requests import Connection, Measured, get, load, post
from tests.support.server import Server, palimpsest

CONNECTIONS = 16
SESSIONS = 10
MESSAGES = 200
AIMS = {
    "one message": 3_600,
    "page of 50": 2_400,
    "context of 2,000 tokens": 2_400,
    "representation": 1_500,
    "session search": 640,
}
_PLACES = ("river", "mill", "harbour", "meadow", "library", "tower", "garden", "market")
_LIKES = ("pears", "chess", "rain", "opera", "maps", "ferries", "poppies", "tea")


def said(session: int, number: int) -> dict[str, str]:
    """One message; every third tells a fact of its author."""
    author = ("alice", "bob")[number % 2]
    place, like = _PLACES[number % 8], _LIKES[(number // 8 + session) % 8]
    if number % 3:
        text = f"Yesterday we walked past the {place} and talked about {like} again."
    else:
        text = f"I love {like} near the {place} number {session * MESSAGES + number}."
    return {"peer_id": author, "content": text}


async def fill(port: int) -> list[list[str]]:
    """Say everything; return the ids of the messages of each session."""
    connection = await Connection.open(port)
    ids: list[list[str]] = []
    for session in range(SESSIONS):
        ids.append([])
        for start in range(0, MESSAGES, 100):
            batch = [said(session, n) for n in range(start, start + 100)]
            path = f"/v3/workspaces/bench/sessions/s{session}/messages"
            body = msgspec.json.encode({"messages": batch})
            status, answer = await connection.ask(post(path, body))
            assert status == 201, answer
            ids[-1] += [each["id"] for each in msgspec.json.decode(answer)]
    await connection.close()
    await until_drained(port)
    return ids


def until_settled(server: Server, bound: float = 300) -> None:
    """Wait until nothing is done behind any more, vectors included."""
    asked = palimpsest("status", "--data", str(server.data), "--json")
    until = time.monotonic() + bound
    while time.monotonic() < until:
        status = json.loads(subprocess.check_output(asked))
        if not any(each["lag_events"] for each in status["consumers"]):
            return
        time.sleep(2)
    raise TimeoutError("the server does not come to rest")


def questions(ids: list[list[str]]) -> dict[str, Callable[[int, int], bytes]]:
    """What is asked, by its name in ``AIMS``; every connection asks about others."""
    at = "/v3/workspaces/bench"

    def session(connection: int, n: int) -> str:
        return f"{at}/sessions/s{(connection + n) % SESSIONS}"

    def one(connection: int, n: int) -> bytes:
        own = ids[(connection + n) % SESSIONS]
        return get(f"{session(connection, n)}/messages/{own[(7 * n) % MESSAGES]}")

    def page(connection: int, n: int) -> bytes:
        number = 1 + n % (MESSAGES // 50)
        path = f"{session(connection, n)}/messages/list?page={number}&size=50"
        return post(path, b"{}")

    def context(connection: int, n: int) -> bytes:
        return get(f"{session(connection, n)}/context?tokens=2000")

    def representation(_: int, n: int) -> bytes:
        return post(f"{at}/peers/{('alice', 'bob')[n % 2]}/representation", b"{}")

    def search(connection: int, n: int) -> bytes:
        query = f"{_LIKES[n % 8]} at the {_PLACES[n % 7]}"
        body = msgspec.json.encode({"query": query, "limit": 10})
        return post(f"{session(connection, n)}/search", body)

    return dict(zip(AIMS, (one, page, context, representation, search), strict=True))


def processor_seconds(server: Server) -> dict[str, float]:
    """Processor time used so far by server, Postgres, embedder and this client."""
    assert server.process is not None
    root = psutil.Process(server.process.pid)
    used = dict.fromkeys(("server", "postgres", "embedder", "client"), 0.0)
    for process in [root, *root.children(recursive=True)]:
        command = " ".join(process.cmdline())
        kind = "embedder" if "embedder" in command else "postgres"
        times = process.cpu_times()
        used["server" if process.pid == root.pid else kind] += times.user + times.system
    own = os.times()
    used["client"] = own.user + own.system
    return used


async def run(server: Server, seconds: float) -> dict[str, dict[str, float]]:
    ids = await fill(server.port)
    await asyncio.to_thread(until_settled, server)
    result: dict[str, dict[str, float]] = {}
    for name, make in questions(ids).items():
        await load(server.port, CONNECTIONS, 1, make)
        before = processor_seconds(server)
        measured: Measured = await load(server.port, CONNECTIONS, seconds, make)
        after = processor_seconds(server)
        assert not measured.failures, name
        result[name] = asdict(measured) | {
            "per_second": round(measured.per_second),
            "aim": AIMS[name],
            **{
                f"{kind}_ms": round(1000 * (after[kind] - spent) / measured.requests, 3)
                for kind, spent in before.items()
            },
        }
    return result


def show(result: dict[str, dict[str, float]], console: Console) -> None:
    columns = ("per_second", "aim", "median_ms", "p99_ms", "server_ms", "postgres_ms")
    shown = (*columns, "embedder_ms", "client_ms")
    table = Table("what", *shown, title=f"Reads over HTTP, {CONNECTIONS} connections")
    for name, figures in result.items():
        table.add_row(name, *(f"{figures[each]:,.2f}" for each in shown))
    console.print(table)


if __name__ == "__main__":
    command(__doc__, 6, run, show)
