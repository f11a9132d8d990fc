"""The consumer the README shows runs, and counts each message once, come what may."""

import asyncio
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from infra.kafka.content import as_stored
from infra.kafka.filling import fill_next
from infra.kafka.generations import Generations
from infra.kafka.names import group_of
from infra.kafka.relay import RelayParts
from infra.telemetry.observers import Unobserved
from tests.support.log import request
from tests.support.relaying import relaying

STRANGER = Path(__file__).parent / "stranger.py"
README = Path(__file__).parents[2] / "README.md"
WITHIN = 120.0


def shown():
    """The programs of the README that consume a topic."""
    blocks = re.findall(
        r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL
    )
    return [block for block in blocks if "KafkaConsumer" in block]


def test_what_the_readme_shows_is_what_is_run_here():
    assert all(block == STRANGER.read_text() for block in shown())
    assert len(STRANGER.read_text().splitlines()) <= 25


class Stranger:
    """A process of it in a folder of its own, reading a topic as a group."""

    def __init__(self, folder, settings, topic, group):
        text = STRANGER.read_text()
        for shown_as, here in (
            ("palimpsest.events.v1", topic),
            ("127.0.0.1:9092", settings.kafka_bootstrap_servers),
            ('"group_id": "said"', f'"group_id": "{group_of(settings, group)}"'),
        ):
            assert shown_as in text
            text = text.replace(shown_as, here)
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", text], cwd=folder, env=dict(os.environ)
        )

    def count(self):
        with closing(sqlite3.connect(self.folder / "said.db")) as db:
            try:
                return dict(db.execute("SELECT author, n FROM said"))
            except sqlite3.OperationalError:
                return {}

    async def until(self, wanted):
        """Wait until at least so many of alice's messages are counted, then kill it."""
        deadline = time.monotonic() + WITHIN
        try:
            while self.count().get("alice", 0) < wanted:
                assert self.process.poll() is None, "the stranger ended"
                assert time.monotonic() < deadline, self.count()
                await asyncio.sleep(0.05)
        finally:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        return self.count()


@pytest.mark.kafka
async def test_it_counts_once_when_killed_when_all_comes_again_and_in_a_new_generation(
    log_dsn, log, kafka_settings, tmp_path
):
    async def say(size):
        sessions = [f"s{n}" for n in range(40)]
        return (await log.store.append(request(*sessions, size=size))).last

    async with relaying(log_dsn, log, kafka_settings) as relay:
        await relay.until(await say(3))
        first = (await relay.generations.serving()).topic
        reading = Stranger(tmp_path, kafka_settings, first, "one")
        await reading.until(1)
        await relay.until(await say(3))
        # A group of another name: this one would wait for the killed member to be
        # given up, and all that was counted comes again.
        again = Stranger(tmp_path, kafka_settings, first, "two")
        assert await again.until(240) == {"alice": 240}
        serving = await next_generation(log_dsn, log, kafka_settings)
        await relay.until(await say(1), serving.number)
    elsewhere = Stranger(tmp_path, kafka_settings, serving.topic, "three")
    assert await elsewhere.until(280) == {"alice": 280}
    assert serving.topic.endswith("-g2")


async def next_generation(dsn, log, settings):
    """Repartition the topic beside the relay that runs."""
    rows = log.rows()
    async with asyncpg.create_pool(dsn, min_size=0, max_size=2) as pool:
        from_log = RelayParts(
            dsn, settings, Generations(pool, settings), rows, as_stored
        )
        try:
            return await fill_next(from_log, 5, Unobserved(), lambda _: None)
        finally:
            rows.close()
