"""Questions that tests put to an embedded Postgres and to its processes."""

import asyncio
import json
import time

import asyncpg

from infra.postgres.embedded.processes import RunningProcess


async def ask(address, statement, *arguments):
    connection = await asyncpg.connect(address.dsn())
    try:
        return await connection.fetchval(statement, *arguments)
    finally:
        await connection.close()


def postmaster_of(data):
    note = json.loads((data / "postgres.pid").read_text())
    return RunningProcess(**note["process"])


async def until(condition, bound=60.0):
    deadline = time.monotonic() + bound
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.02)
