"""Writes over HTTP into one process and into roles, and what an event takes.

Single-message POSTs at 64 connections and batches of 100 at 16, on the offline engine;
processor time and memory by kind of process. What follows of them is waited for, and
is not in the rate: it is in the processor time of all of it, told by event.
"""

import asyncio
from typing import Any

from kafka import KafkaAdminClient

from tests.bench.deployed import Deployed, deployed, taken, tell
from tests.bench.http import batch, single
from tests.bench.requests import Measured, load

_BEHIND = {"projector": 1, "worker": 1, "relay": 1}
LAYOUTS = {
    "up, Postgres feed": ({"up": 1}, False),
    "up, Kafka feed": ({"up": 1}, True),
    "roles, 1 api": ({"api": 1, **_BEHIND}, True),
    "roles, 2 api": ({"api": 2, **_BEHIND}, True),
}
WARM = 1.0
_HEAD = "SELECT max(position) AS head FROM log.event"
_SIZES = """
SELECT n.nspname AS name, sum(pg_table_size(c.oid))::bigint AS tables,
    sum(pg_indexes_size(c.oid))::bigint AS indexes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname !~ '^pg_|information_schema'
GROUP BY n.nspname ORDER BY 2 DESC
"""
_LOG = """
SELECT pg_table_size('log.event')::float8 AS rows,
    pg_indexes_size('log.event')::float8 AS indexes,
    avg(octet_length(data))::float8 AS data, avg(octet_length(meta))::float8 AS meta
FROM log.event
"""
_KINDS = "SELECT type, count(*) AS events FROM log.event GROUP BY type ORDER BY 2 DESC"


def measure(servers: str, seconds: float) -> dict[str, Any]:
    """Measure every layout."""
    found = {}
    for name, (roles, by_kafka) in LAYOUTS.items():
        tell(f"writes: {name}")
        with deployed(roles, servers if by_kafka else None) as those:
            found[name] = asyncio.run(_one(those, seconds, by_kafka=by_kafka))
    return found


async def _one(those: Deployed, seconds: float, *, by_kafka: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"memory idle, MB": those.memory()}
    singles = [single(f"s{n}") for n in range(64)]
    await load(those.ports, 64, WARM, lambda c, _: singles[c])
    await those.until_quiet()
    found["single, 64 connections"] = await _loaded(those, singles, 1, seconds)
    batches = [batch(f"b{n}") for n in range(16)]
    found["batches of 100, 16 connections"] = await _loaded(
        those, batches, 100, seconds
    )
    found["memory after, MB"] = those.memory()
    found["bytes"] = await _sizes(those, by_kafka=by_kafka)
    return found


async def _loaded(
    those: Deployed, requests: list[bytes], size: int, seconds: float
) -> dict[str, Any]:
    """Write as fast as it can, then wait for what follows."""
    [[head]] = await those.ask(_HEAD)
    before = those.processor_seconds()
    wrote: Measured = await load(
        those.ports, len(requests), seconds, lambda c, _: requests[c]
    )
    meanwhile = those.processor_seconds()
    drained = await those.until_quiet()
    after = those.processor_seconds()
    [[end]] = await those.ask(_HEAD)
    messages = size * wrote.requests
    return {
        "messages per second": round(size * wrote.per_second),
        "median ms": round(wrote.median_ms, 1),
        "p99 ms": round(wrote.p99_ms, 1),
        "failures": wrote.failures,
        "cpu ms a message, under load": taken(before, meanwhile, messages),
        "cpu ms a message, all of it": taken(before, after, messages),
        "cores, under load": taken(before, meanwhile, 1e3 * wrote.seconds),
        "drained after s": round(drained, 1),
        "events a message": round((end - head) / messages, 2),
    }


async def _sizes(those: Deployed, *, by_kafka: bool) -> dict[str, Any]:
    """Bytes of an event in the log, beside it, and in the topic."""
    [[events]] = await those.ask(_HEAD)
    [log] = await those.ask(_LOG)
    found: dict[str, Any] = {
        "events": events,
        "kinds": {row["type"]: row["events"] for row in await those.ask(_KINDS)},
        "log.event, rows": round(log["rows"] / events),
        "log.event, indexes": round(log["indexes"] / events),
        "of it data and meta": [round(log["data"]), round(log["meta"])],
        "by schema": {
            row["name"]: [round(row["tables"] / events), round(row["indexes"] / events)]
            for row in await those.ask(_SIZES)
        },
    }
    if by_kafka:
        found["topic"] = round(await asyncio.to_thread(_in_topic, those) / events)
    return found


def _in_topic(those: Deployed) -> int:
    """Bytes of the topic's segments, of one replica."""
    settings = those.settings
    admin = KafkaAdminClient(bootstrap_servers=settings["KAFKA_BOOTSTRAP_SERVERS"])
    try:
        told = admin.describe_log_dirs([settings["KAFKA_TOPIC"]])
    finally:
        admin.close()
    return sum(
        part["partition_size"]
        for broker in told[:1]
        for folder in broker["log_dirs"]
        for topic in folder["topics"]
        for part in topic["partitions"]
    )
