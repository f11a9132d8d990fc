"""``palimpsest relay`` beside a relay that runs, and without one."""

import asyncio
import json

import asyncpg
import pytest
from typer.testing import CliRunner

from infra.cli.relay import relay
from infra.kafka import filling
from infra.kafka.generations import Generations, Superseded
from infra.postgres.leadership import LeadershipLost
from tests.infra.kafka.test_relay import say
from tests.support.command import Shell
from tests.support.kafka import environment_apart, named_apart, variables
from tests.support.relay_process import RelayProcess
from tests.support.relaying import assert_copied, relaying

pytestmark = pytest.mark.kafka


@pytest.fixture
def apart(kafka):
    return environment_apart(kafka)


@pytest.fixture
def shell(tmp_path, apart, log_dsn):
    return Shell(tmp_path, variables(apart) | {"DB_CONNECTION_URI": log_dsn})


@pytest.fixture
def process(log_dsn, apart, tmp_path):
    relay = RelayProcess(log_dsn, apart, tmp_path)
    relay.start()
    yield relay
    assert relay.stop() == 0, relay.log()


@pytest.fixture
async def generations(log_dsn, apart, kafka):
    async with asyncpg.create_pool(log_dsn, min_size=1, max_size=1) as pool:
        yield Generations(pool, named_apart(kafka, **apart))


async def until(generations, position, number=1):
    async with asyncio.timeout(60):
        while True:
            found = await generations.serving()
            if found and found.number >= number and found.position >= position:
                return found
            await asyncio.sleep(0.02)


async def test_beside_a_relay_that_runs(
    shell, process, log, log_dsn, generations, kafka, apart
):
    await until(generations, await say(log, 20))
    now = json.loads(shell.run("relay", "status", "--json").out)
    assert (now["head"], now["lag_events"], now["lag_seconds"]) == (20, 0, 0)
    assert now["leader"]["host"] == "this machine"
    assert [each["state"] for each in now["generations"]] == ["serving"]
    ended = shell.run("relay", "repartition", "--partitions", "5")
    topic = f"{apart['kafka_topic']}-g2"
    assert ended.code == 0, ended
    assert f"{topic} serves now, with 5 partitions" in ended.out
    found = await until(generations, await say(log, 20), number=2)
    await assert_copied(log_dsn, named_apart(kafka, **apart), found)
    shown = shell.run("relay", "status")
    assert f"{apart['kafka_topic']} " in shown.out
    assert "relayed from this machine since" in shown.out, shown
    assert process.process.poll() is None


async def test_without_one(shell, log, log_dsn, kafka, apart):
    last = await say(log, 20)
    assert "no relay runs; 20 events behind" in shell.run("relay", "status").out
    ended = shell.run("relay", "rebuild-topic")
    assert ended.code == 0, ended
    assert f"{apart['kafka_topic']}-g2 serves now, with 3 partitions" in ended.out
    settings = named_apart(kafka, **apart)
    async with relaying(log_dsn, log, settings) as relayed:
        found = await relayed.until(last, number=2)
    await assert_copied(log_dsn, settings, found)


def test_without_brokers_it_says_what_is_missing(log_dsn, tmp_path):
    shell = Shell(
        tmp_path, {"DB_CONNECTION_URI": log_dsn, "KAFKA_BOOTSTRAP_SERVERS": ""}
    )
    ended = shell.run("relay", "run")
    assert "KAFKA_BOOTSTRAP_SERVERS is not set" in ended.refusal
    shell = Shell(
        tmp_path,
        {"DB_CONNECTION_URI": log_dsn, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"},
    )
    ended = shell.run("relay", "rebuild-topic")
    assert ended.code == 2, ended
    assert "do not do what is asked" in ended.err.splitlines()[-1]


@pytest.mark.parametrize("error", [LeadershipLost(), Superseded()])
def test_overtaken_it_says_to_run_it_again(log_dsn, kafka, monkeypatch, error):
    async def overtaken(*_):
        raise error

    monkeypatch.setattr(filling, "fill_next", overtaken)
    monkeypatch.setenv("DB_CONNECTION_URI", log_dsn)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka)
    ended = CliRunner().invoke(relay, ["rebuild-topic"])
    assert (ended.exit_code, "run it again" in ended.output) == (2, True)
