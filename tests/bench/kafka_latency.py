"""How soon after a POST a consumer has the record, and the conclusion can be read.

One message at a time, on the offline engine, into a deployment that is idle otherwise.
"""

import asyncio
import time
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from infra.settings import Settings
from tests.bench.deployed import PARTITIONS, Deployed, deployed, spread, tell
from tests.bench.relay import Stranger
from tests.bench.requests import Connection, post

LAYOUTS = {
    "up, Postgres feed": ({"up": 1}, False),
    "up, Kafka feed": ({"up": 1}, True),
    "roles, Postgres feed": ({"api": 1, "projector": 1, "worker": 1}, False),
    "roles, Kafka feed": ({"api": 1, "projector": 1, "worker": 1, "relay": 1}, True),
}
WARM = 20
PEERS = 20
SESSIONS = 50
PAUSE = 0.05
LOOK = 0.002
"""Seconds between two looks for the conclusion."""

PATH = "/v3/workspaces/bench"
_POSITIONS = "SELECT position FROM log.event WHERE type = $1 ORDER BY position"


def measure(servers: str, repeats: int) -> dict[str, Any]:
    """Measure every layout; what Kafka adds is told of the medians."""
    found: dict[str, Any] = {}
    for name, (roles, by_kafka) in LAYOUTS.items():
        tell(f"latency: {name}")
        with deployed(roles, servers if by_kafka else None) as those:
            found[name] = asyncio.run(_one(those, repeats, by_kafka=by_kafka))
    for layout in ("up", "roles"):
        slow, quick = (
            found[f"{layout}, {feed} feed"]["answer to conclusion, ms"]["median"]
            for feed in ("Kafka", "Postgres")
        )
        found[f"{layout}: added by Kafka, ms"] = round(slow - quick, 1)
    return found


async def _one(those: Deployed, repeats: int, *, by_kafka: bool) -> dict[str, Any]:
    connection = await Connection.open(those.ports[0])
    for number in range(WARM):
        await _say(connection, f"warm{number}", number)
    await those.until_quiet()
    skipped = len(await those.ask(_POSITIONS, "message-added"))
    async with _stranger(those, by_kafka=by_kafka) as came:
        times = []
        for number in range(repeats):
            await asyncio.sleep(PAUSE)
            times.append(await _say(connection, f"n{number}", number))
        await those.until_quiet()
    await connection.close()
    found: dict[str, Any] = {
        "POST, ms": spread([1e3 * (a - s) for s, a, _ in times]),
        "answer to conclusion, ms": spread([1e3 * (c - a) for _, a, c in times]),
        "POST to conclusion, ms": spread([1e3 * (c - s) for s, _, c in times]),
    }
    if by_kafka:
        kinds = {"record": "message-added", "conclusion's record": "conclusion-derived"}
        for what, kind in kinds.items():
            rows = (await those.ask(_POSITIONS, kind))[skipped:]
            seen = [came[row["position"]] for row in rows]
            late = [1e3 * (at - each[1]) for at, each in zip(seen, times, strict=True)]
            found[f"answer to {what} at a consumer, ms"] = spread(late)
            if kind == "message-added":
                of = zip(seen, times, strict=True)
                late = [1e3 * (at - each[0]) for at, each in of]
                found["POST to record at a consumer, ms"] = spread(late)
    return found


async def _say(
    connection: Connection, name: str, number: int
) -> tuple[float, float, float]:
    """Say what is concluded from; when it was sent, answered, and concluded."""
    peer = f"p{number % PEERS}"
    said = {"peer_id": peer, "content": f"I adopted a dog named Plank{name}x"}
    asked = {"filters": {"observer_id": peer, "observed_id": peer}}
    path = f"{PATH}/sessions/s{number % SESSIONS}/messages"
    request = post(path, msgspec.json.encode({"messages": [said]}))
    question = post(f"{PATH}/conclusions/list", msgspec.json.encode(asked))
    sent = time.perf_counter()
    status, answer = await connection.ask(request)
    answered = time.perf_counter()
    assert status == 201, (status, answer)
    while f"Plank{name}x".encode() not in (await connection.ask(question))[1]:
        assert time.perf_counter() < answered + 30, name
        await asyncio.sleep(LOOK)
    return sent, answered, time.perf_counter()


@asynccontextmanager
async def _stranger(those: Deployed, *, by_kafka: bool):
    """Consume what is committed, if there is a topic; when each position came."""
    if not by_kafka:
        yield {}
        return
    fields = {name.lower(): value for name, value in those.settings.items()}
    settings = Settings(_env_file=None, **fields)
    stranger = Stranger(settings, settings.kafka_topic, PARTITIONS)
    stranger.start()
    assert await asyncio.to_thread(stranger.ready.wait, 30)
    try:
        yield stranger.came
    finally:
        await asyncio.sleep(0.5)
        stranger.over.set()
        await asyncio.to_thread(stranger.join, 10)
