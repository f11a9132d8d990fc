"""Two relays fight for the topic, one of them a zombie: nothing is in it twice."""

import asyncio
import signal
import time
from hashlib import blake2b

import asyncpg
import pytest

from tests.support.command import until

pytestmark = pytest.mark.kafka

ROUNDS = 3

_LEADS = """
SELECT a.pid FROM pg_stat_activity AS a JOIN pg_locks AS l USING (pid)
WHERE a.application_name = 'palimpsest-leader' AND l.locktype = 'advisory'
    AND l.granted AND l.objid = $1
"""
_END = "SELECT pg_terminate_backend($1)"


def test_a_leader_that_wakes_up_after_another_took_over_writes_nothing(deployment):
    """Frozen in its work, its lease ended, it wakes up while the other one leads."""
    fleet = deployment.fleet
    fleet.until_ready()
    talk = deployment.talk(100 * ROUNDS, 20, rate=60)
    for number in range(1, ROUNDS + 1):
        talk.until_said(100 * number - 70)
        relays = fleet.of("relay")
        [before] = until(lambda: leader(deployment))
        for each in relays:
            each.process.send_signal(signal.SIGSTOP)
        ask(deployment, _END, before)
        time.sleep(0.2)
        # Whichever led is among them; each may be the first to wake.
        relays[number % 2].process.send_signal(signal.SIGCONT)
        until(lambda before=before: set(leader(deployment)) - {before})
        talk.until_said(100 * number - 20)
        relays[1 - number % 2].process.send_signal(signal.SIGCONT)
    deployment.assert_lawful()


def leader(deployment):
    """Return the backend of the relay that leads, if one does."""
    right = f"relay of {deployment.topic}".encode()
    return ask(
        deployment, _LEADS, int.from_bytes(blake2b(right, digest_size=4).digest())
    )


def ask(deployment, statement, *arguments):
    async def asked():
        connection = await asyncpg.connect(deployment.fleet.postgres.dsn)
        try:
            return [row[0] for row in await connection.fetch(statement, *arguments)]
        finally:
            await connection.close()

    return asyncio.run(asked())
