"""Writes over HTTP: ``python -m tests.bench.http [--seconds S] [--json]``.

Starts a server on a temporary folder and measures single-message POSTs at 1, 64
and 256 connections, batches of 100, the time from POST to the conclusion being
readable, and the memory of server, embedder and Postgres.
"""

import asyncio
import contextlib
import json
import time
from dataclasses import asdict

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from tests.bench.command import command
from tests.bench.requests import Connection, Measured, load, post
from tests.support.server import Server

WORDS = "the river bends twice before it meets the old mill where we used to swim"


def single(session: str) -> bytes:
    body = {"messages": [{"peer_id": "alice", "content": f"I remember {WORDS}"}]}
    return post(
        f"/v3/workspaces/bench/sessions/{session}/messages", msgspec.json.encode(body)
    )


def batch(session: str, size: int = 100) -> bytes:
    messages = [
        {"peer_id": ("alice", "bob")[n % 2], "content": f"{n}: {WORDS}"}
        for n in range(size)
    ]
    return post(
        f"/v3/workspaces/bench/sessions/{session}/messages",
        msgspec.json.encode({"messages": messages}),
    )


async def until_drained(port: int, bound: float = 300) -> float:
    """Wait until the queue is empty; return the seconds it took."""
    started = time.perf_counter()
    connection = await Connection.open(port)
    request = b"GET /v3/workspaces/bench/queue/status HTTP/1.1\r\nHost: b\r\n\r\n"
    while time.perf_counter() - started < bound:
        _, body = await connection.ask(request)
        if not msgspec.json.decode(body)["pending_work_units"]:
            break
        await asyncio.sleep(0.05)
    await connection.close()
    return time.perf_counter() - started


async def until_readable(port: int, repeats: int = 60) -> list[float]:
    """Milliseconds from sending a POST to its conclusion being in the list."""
    connection = await Connection.open(port)
    times = []
    for n in range(repeats):
        content = f"I adopted a dog named Plank{n}x"
        body = {"messages": [{"peer_id": f"p{n}", "content": content}]}
        asked = msgspec.json.encode(
            {"filters": {"observer_id": f"p{n}", "observed_id": f"p{n}"}}
        )
        question = post("/v3/workspaces/bench/conclusions/list", asked)
        started = time.perf_counter()
        await connection.ask(
            post(
                "/v3/workspaces/bench/sessions/lag/messages", msgspec.json.encode(body)
            )
        )
        while time.perf_counter() - started < 10:
            _, answer = await connection.ask(question)
            if b"Plank" in answer:
                break
        times.append(1000 * (time.perf_counter() - started))
    await connection.close()
    return sorted(times)


def memory(server: Server) -> dict[str, float]:
    """Proportional set size in MB: server, embedder, Postgres."""
    assert server.process is not None
    root = psutil.Process(server.process.pid)
    sizes = {"server": 0.0, "embedder": 0.0, "postgres": 0.0, "other": 0.0}
    for process in [root, *root.children(recursive=True)]:
        # Workers of Postgres come and go.
        with contextlib.suppress(psutil.NoSuchProcess):
            command = " ".join(process.cmdline())
            kind = "other"
            if process.pid == root.pid:
                kind = "server"
            elif "embedder" in command:
                kind = "embedder"
            elif "postgres" in command:
                kind = "postgres"
            sizes[kind] += process.memory_full_info().pss / 2**20
    return {kind: round(size, 1) for kind, size in sizes.items()}


async def run(server: Server, seconds: float) -> dict[str, object]:
    result: dict[str, object] = {"memory_idle_mb": memory(server)}
    lag = await until_readable(server.port)
    result["post_to_conclusion_ms"] = {
        "median": round(lag[len(lag) // 2], 1),
        "p99": round(lag[int(len(lag) * 0.99)], 1),
    }
    singles: list[Measured] = []
    for connections in (1, 64, 256):
        requests = [single(f"s{n}") for n in range(connections)]
        singles.append(
            await load(server.port, connections, seconds, lambda c, _, r=requests: r[c])
        )
        result[f"drained_after_{connections}_s"] = round(
            await until_drained(server.port), 1
        )
    result["single"] = [asdict(m) | {"per_second": m.per_second} for m in singles]
    requests = [batch(f"b{n}") for n in range(16)]
    batches = await load(server.port, 16, seconds, lambda c, _: requests[c])
    result["batch_of_100"] = asdict(batches) | {
        "messages_per_second": 100 * batches.per_second
    }
    result["memory_busy_mb"] = memory(server)
    return result


def show(result: dict[str, object], console: Console) -> None:
    table = Table("what", "figures", title="Writes over HTTP")
    for name, figures in result.items():
        rows = figures if isinstance(figures, list) else [figures]
        for row in rows:
            table.add_row(name, json.dumps(row))
    console.print(table)


if __name__ == "__main__":
    command(__doc__, 8, run, show)
