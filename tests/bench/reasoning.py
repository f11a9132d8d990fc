"""What reasoning takes: ``python -m tests.bench.reasoning [--conversations N]``.

Conversations of LoCoMo (``../shared/data``, read where it lies), on the offline engine
and on a model of no latency: messages derived a second and by second of the server's
processor time, POST to the conclusion being readable, the first token of a chat. And
what a thousand messages cost, said one by one: calls and tokens, beside the reference's
by its numbers (``reference_cost.py``).
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from infra.postgres.embedded import running_cluster
from infra.postgres.view_readers import open_view_readers
from infra.tokens.counter import O200kCounter
from tests.bench.http import until_readable
from tests.bench.locomo import DATA, ask, settled, turns
from tests.bench.reference_cost import Cost, Line, session_cost
from tests.bench.requests import Connection, post
from tests.bench.scripted_server import (
    is_derivation,
    scripted_server,
    settings,
    tokens_of,
    tokens_of_lines,
)
from tests.support.openai_stub import OpenAIStub
from tests.support.server import Server, running

LEFT_OVER = "2"
"""Seconds after which what is left below the gate is derived, in the cost's run."""


def served(
    folder: str, name: str, environment: Mapping[str, str]
) -> AbstractContextManager[Server]:
    return running(Path(folder) / name, environment, lawful=False)


def on_views(server: Server) -> AbstractAsyncContextManager[asyncpg.Pool]:
    address = running_cluster(server.data)
    assert address is not None
    return open_view_readers(address.dsn(), size=1)


def spent(server: Server) -> float:
    """Seconds of processor time the server's process has taken."""
    assert server.process is not None
    times = psutil.Process(server.process.pid).cpu_times()
    return times.user + times.system


async def derive_all(server: Server, conversations: list[Any]) -> dict[str, float]:
    """Load all at once, wait until all is derived and embedded."""
    async with on_views(server) as views:
        connection = await Connection.open(server.port)
        before, begun, messages, conclusions = spent(server), time.perf_counter(), 0, 0
        for number, conversation in enumerate(conversations):
            for session, said in turns(conversation):
                messages += len(said)
                await ask(connection, add(f"all{number}", session, said))
        for number in range(len(conversations)):
            await settled(views, connection, f"all{number}")
        took, cpu = time.perf_counter() - begun, spent(server) - before
        for number in range(len(conversations)):
            path = f"/v3/workspaces/all{number}/conclusions/list?size=1"
            conclusions += (await ask(connection, post(path, b"{}")))["total"]
        await connection.close()
    return {
        "messages": messages,
        "conclusions": conclusions,
        "messages_per_second": round(messages / took, 1),
        "messages_per_cpu_second": round(messages / cpu, 1),
        "conclusions_per_cpu_second": round(conclusions / cpu, 1),
        "cpu_ms_a_message": round(1000 * cpu / messages, 2),
    }


def add(workspace: str, session: str, said: list[Any]) -> bytes:
    path = f"/v3/workspaces/{workspace}/sessions/{session}/messages"
    return post(path, msgspec.json.encode({"messages": said}))


async def first_token(server: Server, workspace: str, questions: list[str]) -> Any:
    """Milliseconds from asking to the first piece of a streamed answer."""
    times = []
    for query in questions:
        peers = f"/v3/workspaces/{workspace}/peers"
        connection = await Connection.open(server.port)
        listed = await ask(connection, post(f"{peers}/list", b"{}"))
        await connection.close()
        path = f"{peers}/{listed['items'][0]['id']}/chat"
        body = msgspec.json.encode({"query": query, "stream": True})
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        begun = time.perf_counter()
        writer.write(post(path, body))
        await reader.readuntil(b'"content"')
        times.append(1000 * (time.perf_counter() - begun))
        await reader.readuntil(b"true}")
        writer.close()
    return spread(times)


def spread(times: list[float]) -> dict[str, float]:
    times.sort()
    return {
        "median_ms": round(times[len(times) // 2], 1),
        "p99_ms": round(times[int(len(times) * 0.99)], 1),
    }


async def paced(
    server: Server, stub: OpenAIStub, conversations: list[Any]
) -> dict[str, Any]:
    """Say each message once the one before was looked at; count what was asked."""
    counter = O200kCounter()
    counter.load()
    reference, messages = Cost(), 0
    stub.calls.clear()
    async with on_views(server) as views:
        connection = await Connection.open(server.port)
        for number, conversation in enumerate(conversations):
            for session, said in turns(conversation):
                lines = [_line(each, counter.count) for each in said]
                reference += session_cost(lines, 1)
                messages += len(said)
                for each in said:
                    await ask(connection, add(f"paced{number}", session, [each]))
                    await _looked_at(views)
        for number in range(len(conversations)):
            await settled(views, connection, f"paced{number}")
        await connection.close()
    thousand = 1000 / messages
    asked = [(each, tokens_of(each, counter.count)) for each in stub.chats]
    told = sum(
        tokens_of_lines(call, counter.count) for call, _ in asked if is_derivation(call)
    )
    ours = [tokens for call, tokens in asked if is_derivation(call)]
    sums = [tokens for call, tokens in asked if not is_derivation(call)]
    return {
        "messages": messages,
        "ours": {
            "derivation_calls": round(thousand * len(ours), 1),
            "derivation_tokens_with_prompt": round(thousand * sum(ours)),
            "derivation_tokens_of_messages": round(thousand * told),
            "summary_calls": round(thousand * len(sums), 1),
            "summary_tokens_with_prompt": round(thousand * sum(sums)),
        },
        "reference": {
            "derivation_calls": round(thousand * reference.derivations, 1),
            "derivation_tokens_of_messages": round(thousand * reference.derived_tokens),
            "summary_calls": round(thousand * reference.summaries, 1),
            "summary_tokens_of_messages": round(thousand * reference.summary_tokens),
        },
    }


def _line(message: Mapping[str, Any], count: Callable[[str], int]) -> Line:
    at = str(message["created_at"])[:19].replace("T", " ")
    text = f"{at} {message['peer_id']}: {message['content']}"
    return Line(message["peer_id"], count(text))


async def _looked_at(views: asyncpg.Pool) -> None:
    """Wait until the deriver has seen the head of the log."""
    while not await views.fetchval(  # noqa: ASYNC110  another process's progress
        "SELECT position >= (SELECT max(position) FROM log.event WHERE type ="
        " 'message-added') FROM work.checkpoint WHERE processor = 'derive_conclusions'"
    ):
        await asyncio.sleep(0.005)


def measure(folder: str, data: list[Any]) -> dict[str, Any]:
    conversations = [each["conversation"] for each in data]
    questions = [qa["question"] for qa in data[0]["qa"]][:100]
    result: dict[str, Any] = {}
    with served(folder, "offline", {}) as server:
        result["offline"] = asyncio.run(derive_all(server, conversations))
        result["offline_post_to_conclusion"] = spread(
            asyncio.run(until_readable(server.port))
        )
        result["offline_first_token"] = asyncio.run(
            first_token(server, "all0", questions)
        )
    with scripted_server() as stub:
        at_once = settings(stub, DERIVER_FLUSH_ENABLED="true")
        with served(folder, "scripted", at_once) as server:
            result["model"] = asyncio.run(derive_all(server, conversations))
            result["model_post_to_conclusion"] = spread(
                asyncio.run(until_readable(server.port))
            )
            result["model_first_token"] = asyncio.run(
                first_token(server, "all0", questions)
            )
        name = "DERIVER_REPRESENTATION_BATCH_MAX_AGE_SECONDS"
        with served(folder, "paced", settings(stub, **{name: LEFT_OVER})) as server:
            result["cost_of_1000_messages"] = asyncio.run(
                paced(server, stub, conversations)
            )
    return result


def show(result: Mapping[str, Any]) -> None:
    table = Table("what", "figures", title="Reasoning")
    for name, figures in result.items():
        table.add_row(name, json.dumps(figures))
    Console(width=160).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"{DATA.name} is not beside this checkout; nothing was measured")
    data = json.loads(DATA.read_text())[: given.conversations]
    with tempfile.TemporaryDirectory(prefix="palimpsest-") as folder:
        result = measure(folder, data)
    print(json.dumps(result)) if given.json else show(result)


if __name__ == "__main__":
    main()
