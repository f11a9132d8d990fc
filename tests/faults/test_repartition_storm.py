"""The topic gets more partitions under load, while everything is killed."""

import threading

import pytest

from tests.support.deployment import deployed
from tests.support.storm import Storm
from tests.support.topic_law import serving

pytestmark = [pytest.mark.kafka, pytest.mark.long]

ROLES = {"relay": 2, "projector": 2, "worker": 2, "api": 2}
TRIES = 10


@pytest.mark.parametrize("seed", [1, 2])
def test_from_4_to_12_partitions_nothing_is_lost_or_done_twice(seed):
    with deployed(ROLES, fields={"kafka_partitions": 4}) as deployment:
        talk = deployment.talk(6_000, 100, rate=60, seed=seed)
        talk.until_said(1_500)
        asking = threading.Thread(target=repartition, args=(deployment,))
        asking.start()
        storm = Storm(deployment, seed, kills=18)
        storm.rage(talk)
        asking.join(300)
        assert not asking.is_alive()
        print(storm.done)
        deployment.assert_lawful()
        _, partitions = serving(deployment.fleet.postgres.dsn, deployment.topic)
        assert partitions == 12
        deployment.verify()


def repartition(deployment):
    """Ask until it is done: the command, too, loses its Postgres or its broker."""
    for left in reversed(range(TRIES)):
        try:
            deployment.fleet.run_once("relay", "repartition", "--partitions", "12")
        except AssertionError:
            if not left:
                raise
        else:
            return
