"""The topic read by a stranger: kafkajs in node, which knows nothing of us."""

import asyncio
import json
import os
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from kafka import KafkaProducer

from domain.events import EVENT_BY_TAG
from domain.names import ordering_key_of
from infra.asyncapi.event_schemas import alone
from infra.asyncapi.headers import headers_schema
from infra.kafka.client import client_options
from infra.kafka.names import group_of, partition_of
from infra.postgres.stored_row import COLUMNS, StoredRow
from tests.support.log import request
from tests.support.relaying import relaying

FOLDER = Path(__file__).parent / "kafkajs"

pytestmark = [pytest.mark.node, pytest.mark.kafka]


async def test_a_stranger_reads_the_log_in_order_and_nothing_else(
    log_dsn, log, kafka_settings, tmp_path
):
    for _ in range(4):
        await log.store.append(request(*(f"s{n}" for n in range(20)), size=3))
    async with relaying(log_dsn, log, kafka_settings) as relay:
        generation = await relay.until(240)
    await asyncio.to_thread(say_and_take_back, kafka_settings, generation)
    told = await asyncio.to_thread(read, kafka_settings, generation, 240, tmp_path)
    rows = await stored(log_dsn)
    assert sorted(position(each) for each in told) == sorted(rows)
    seen = dict.fromkeys(range(generation.partitions), 0)
    for each in told:
        row = rows[position(each)]
        assert each["partition"] == partition_of(row.shard, generation.partitions)
        assert position(each) > seen[each["partition"]]
        seen[each["partition"]] = position(each)
        check(each, row)
    assert all(seen.values())


def say_and_take_back(settings, generation):
    """Write to each partition in a transaction that is not committed in the end."""
    options = client_options(settings, "undecided")
    producer = KafkaProducer(**options, transactional_id=group_of(settings, "nobody"))
    with closing(producer):
        producer.init_transactions()
        producer.begin_transaction()
        for partition in range(generation.partitions):
            producer.send(generation.topic, b"never said", partition=partition)
        producer.flush()
        producer.abort_transaction()


def read(settings, generation, count, folder):
    """Let node read so many records, and whatever else comes."""
    there = shutil.copytree(
        FOLDER, folder / "stranger", ignore=shutil.ignore_patterns("node_modules")
    )
    flags = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    run(there, "npm", "install", *flags)
    servers = {"KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers}
    group = group_of(settings, "stranger")
    printed = run(there, "node", "read.mjs", generation.topic, group, count, **servers)
    return [json.loads(line) for line in printed.splitlines()]


def run(folder, program, *arguments, **environment):
    done = subprocess.run(
        [shutil.which(program), *map(str, arguments)],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


async def stored(dsn):
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(f"SELECT {COLUMNS} FROM log.event")  # noqa: S608
    finally:
        await connection.close()
    return {row["position"]: StoredRow(*row) for row in rows}


def position(told):
    return int(dict(told["headers"])["ce_position"])


def check(told, row):
    """A record is its row of the log, and as it is documented."""
    headers = dict(told["headers"])
    assert len(headers) == len(told["headers"])
    Draft7Validator(headers_schema()).validate(headers)
    schema = alone(row.type, EVENT_BY_TAG[row.type])
    Draft202012Validator(schema).validate(json.loads(told["value"]))
    assert told["key"] == ordering_key_of(row.stream)
    assert told["value"].encode() == row.data
    assert told["timestamp"] == int(row.recorded_at.timestamp() * 1000)
    assert headers == {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_id": str(row.id),
        "ce_type": row.type,
        "ce_source": f"/palimpsest/{row.tenant}",
        "ce_subject": row.stream,
        "ce_time": row.recorded_at.isoformat(timespec="microseconds"),
        "ce_position": str(row.position),
        "ce_streamversion": str(row.version),
        "ce_shard": str(row.shard),
        "ce_tenant": row.tenant,
        "ce_content": "sealed",
        "ce_meta": row.meta.decode(),
    }
