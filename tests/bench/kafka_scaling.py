"""How many conversations a second one, two, three and four workers derive.

A conversation is a session of four messages, read by the model in one call, which takes
50 ms to answer and tells one fact; vectors come from a server, too, as where there are
several machines. All conversations are in the log before the relay is started: then
every worker has work until near the end. The rate is that of the middle of them, 5 to
75 %: later one worker may have run dry, since partitions hold unlike many.

In three ways, since the workers share the cores with all that feeds them:

* ``scaling``: all processes, the broker, Postgres, the model and this client work on
  the same cores. Where "cores used" is near what there is, these are what is measured.
* ``scaling, workers alone``: once the backlog is in the topic, relay and projector are
  stopped until it is derived, as if they had a machine of their own. What workers cause
  is then neither shown nor followed by anybody.
* ``scaling, a model of 500 ms``: everybody works, and the model is as slow as models
  are: a worker waits for it most of the time, as workers do.

How many sessions a worker works on at once (``DERIVER_WORKERS``) is one here: at 50 ms
that asks as much of the processor as its own setting, eight, does of a model that takes
400 ms. With eight at 50 ms it is the two cores of this machine that are measured, not
the workers: ``--keys 8`` shows it.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import asyncpg
import msgspec
import psutil

from tests.bench.deployed import Deployed, deployed, taken, tell
from tests.bench.requests import Connection, post
from tests.bench.scripted_model import DIMENSIONS, model_server

LATENCY = 0.05
SLOW = 0.5
EACH_SLOW = 40
"""Conversations for each worker, of a slow model."""

AT_ONCE = 8
WITHIN = 600.0
_SAID = (
    "I have started to learn the cello, which is harder than I thought.",
    "How long have you been playing, and who teaches you?",
    "Since March; my neighbour Ines teaches me on Tuesdays after work.",
    "Then you should be able to play at the wedding in October.",
)
_COPIED = "SELECT max(position) FROM work.topic WHERE state = 'serving'"
_HEAD = "SELECT max(position) FROM log.event"
_NEW = """
SELECT count(*) FILTER (WHERE tenant = $1 AND type = 'derivation-completed') AS done,
    coalesce(max(position), $2) AS seen
FROM log.event WHERE position > $2
"""
_DONE = """
SELECT extract(epoch FROM recorded_at)::float8 AS at FROM log.event
WHERE tenant = $1 AND type = 'derivation-completed' ORDER BY position
"""


class _Way(msgspec.Struct, frozen=True):
    """How slow the model is, how much there is to do, and who else works."""

    latency: float
    size: Callable[[int], int]
    alone: bool = False


def measure(
    servers: str, conversations: int, keys: int, most: int = 4
) -> dict[str, Any]:
    """Measure one to ``most`` workers, in each way on a deployment of its own."""

    def same(_count: int) -> int:
        return conversations

    def by_worker(count: int) -> int:
        return EACH_SLOW * count

    ways = {
        "scaling": _Way(LATENCY, same),
        "scaling, workers alone": _Way(LATENCY, same, alone=True),
        "scaling, a model of 500 ms": _Way(SLOW, by_worker),
    }
    return {name: _measured(servers, keys, most, way) for name, way in ways.items()}


def _measured(servers: str, keys: int, most: int, way: _Way) -> dict[str, Any]:
    """Measure one to ``most`` workers on one deployment, a workspace each."""
    found: dict[str, Any] = {"keys at once": keys}
    with model_server("state_first", way.latency) as url:
        told = _settings(url, keys)
        roles = {"api": 1, "projector": 1, "relay": 1}
        with deployed(roles, servers, **told) as those:
            for count in range(1, most + 1):
                found[f"{count} workers"] = _several(those, count, way)
    one = found["1 workers"]["per_second"]
    for count in range(2, most + 1):
        of = found[f"{count} workers"]
        of["times one worker"] = round(of["per_second"] / one, 2)
    return found


def _settings(url: str, keys: int) -> dict[str, str]:
    return {
        "LLM_OPENAI_API_KEY": "bench",
        "LLM_OPENAI_BASE_URL": url,
        "EMBEDDING_MODEL_CONFIG__MODEL": "scripted",
        "EMBEDDING_MODEL_CONFIG__OVERRIDES__BASE_URL": url,
        "EMBEDDING_VECTOR_DIMENSIONS": str(DIMENSIONS),
        "DERIVER_FLUSH_ENABLED": "true",
        "DERIVER_WORKERS": str(keys),
        "DREAM_ENABLED": "false",
    }


def _several(those: Deployed, count: int, way: _Way) -> dict[str, Any]:
    """Have so many workers derive a backlog; leave them running."""
    fleet, workspace, conversations = those.fleet, f"w{count}", way.size(count)
    _stop(those, "relay")
    tell(f"scaling: {conversations} conversations are said for {count} workers")
    asyncio.run(_say_all(those, workspace, conversations))
    while len(fleet.of("worker")) < count:
        fleet.add("worker")
    fleet.until_ready()
    those.until_assigned(count)
    if way.alone:
        _stop(those, "projector")
    tell(f"scaling: {count} workers derive")
    fleet.add("relay")
    if way.alone:
        asyncio.run(_until_copied(those))
        _stop(those, "relay")
    found = _derived(those, workspace, conversations, quiet=not way.alone)
    if way.alone:
        fleet.add("projector")
        fleet.add("relay")
        fleet.until_ready()
        asyncio.run(those.until_quiet())
    return found


def _derived(
    those: Deployed, workspace: str, conversations: int, *, quiet: bool
) -> dict[str, Any]:
    """Wait until all are derived; with ``quiet``, until all that follows is done."""
    already = asyncio.run(_until_derived(those, workspace, 1))
    assert already < conversations, "too few: all were derived before anybody looked"
    before, begun = those.processor_seconds(), time.monotonic()
    asyncio.run(_until_derived(those, workspace, conversations))
    if quiet:
        asyncio.run(those.until_quiet())
    took = time.monotonic() - begun
    after = those.processor_seconds()
    done = [row["at"] for row in asyncio.run(those.ask(_DONE, workspace))]
    first, last = int(len(done) * 0.05), int(len(done) * 0.75) - 1
    rate = (last - first) / (done[last] - done[first])
    spent = taken(before, after, conversations - already)
    cores = (sum(after.values()) - sum(before.values())) / took
    return {
        "conversations": conversations,
        "per_second": round(rate, 1),
        "whole backlog, per second": round(len(done) / (done[-1] - done[0]), 1),
        "cpu ms a conversation": spent | {"all": round(sum(spent.values()), 1)},
        "cores used": round(cores, 2),
        "of": psutil.cpu_count(),
        "load of the machine": round(psutil.getloadavg()[0], 1),
        "model's core": round((after["model"] - before.get("model", 0)) / took, 2),
    }


def _stop(those: Deployed, role: str) -> None:
    for each in those.fleet.of(role):
        each.stop()


async def _say_all(those: Deployed, workspace: str, conversations: int) -> None:
    numbers = iter(range(conversations))
    ports = those.ports

    async def one(port: int) -> None:
        connection = await Connection.open(port)
        for number in numbers:
            said = [
                {"peer_id": ("alice", "bob")[n % 2], "content": f"{words} {number}"}
                for n, words in enumerate(_SAID)
            ]
            path = f"/v3/workspaces/{workspace}/sessions/c{number}/messages"
            body = msgspec.json.encode({"messages": said})
            status, answer = await connection.ask(post(path, body))
            assert status == 201, (status, answer)
        await connection.close()

    await asyncio.gather(*(one(ports[n % len(ports)]) for n in range(AT_ONCE)))


async def _until_copied(those: Deployed) -> None:
    """Wait until the topic has the whole log."""
    deadline = time.monotonic() + WITHIN
    while True:
        [[copied]], [[head]] = await those.ask(_COPIED), await those.ask(_HEAD)
        if copied is not None and copied >= head:
            return
        assert time.monotonic() < deadline, (copied, head)
        await asyncio.sleep(0.1)


async def _until_derived(those: Deployed, workspace: str, conversations: int) -> int:
    """Wait until so many are derived; return how many are.

    Who looks is not to be what is measured: one connection, and only what is new.
    """
    deadline = time.monotonic() + WITHIN
    connection = await asyncpg.connect(those.fleet.postgres.dsn)
    done = seen = 0
    try:
        while True:
            new = await connection.fetchrow(_NEW, workspace, seen)
            done, seen = done + new["done"], new["seen"]
            if done >= conversations:
                return int(done)
            assert time.monotonic() < deadline, done
            await asyncio.sleep(0.5)
    finally:
        await connection.close()
