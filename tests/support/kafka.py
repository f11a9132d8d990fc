"""One real Kafka for the whole run, and names nobody else uses for each test."""

import os
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest

from infra.settings import Settings
from tests.support.kafka_broker import kafka_cluster
from tests.support.needs import lacking


@pytest.fixture(scope="session")
def kafka():
    """Bootstrap servers of a running broker: yours, or one started for the run."""
    if yours := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield yours
        return
    folder = Path(tempfile.mkdtemp(prefix="palimpsest-kafka-"))
    try:
        with kafka_cluster(folder / "one") as cluster:
            yield cluster.servers
    except RuntimeError as error:
        lacking("Apache Kafka through Maven", str(error))


@pytest.fixture
def kafka_settings(kafka):
    """Settings of a deployment of its own on that broker; three partitions."""
    return named_apart(kafka)


def named_apart(servers, **further):
    """Return settings whose topics and groups nobody else uses."""
    return Settings(_env_file=None, **environment_apart(servers) | further)


def environment_apart(servers):
    """Return the same as fields; see ``variables`` for a process of its own."""
    name = f"t{uuid4().hex[:12]}"
    return {
        "feed_type": "kafka",
        "kafka_bootstrap_servers": servers,
        "kafka_topic": f"{name}.events.v1",
        "kafka_dead_letters_topic": f"{name}.dead-letters.v1",
        "kafka_group_prefix": name,
        "kafka_partitions": 3,
    }


def variables(fields):
    """Return fields as the environment of a process."""
    return {name.upper(): str(value) for name, value in fields.items()}
