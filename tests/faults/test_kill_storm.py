"""Everything of a deployment on Kafka is killed at random moments under load."""

import pytest

from tests.support.deployment import deployed
from tests.support.storm import Storm

pytestmark = pytest.mark.kafka

SEED = 6


def test_nothing_is_lost_or_done_twice_whoever_is_killed(deployment):
    talk = deployment.talk(1_500, 40, rate=60)
    storm = Storm(deployment, SEED, kills=8)
    storm.rage(talk)
    deployment.assert_lawful()


@pytest.mark.long
@pytest.mark.parametrize("seed", [1])
def test_nothing_is_lost_or_done_twice_in_a_long_storm(seed):
    roles = {"relay": 2, "projector": 2, "worker": 2, "api": 2}
    fields = {"kafka_replication_factor": 3, "kafka_partitions": 12}
    with deployed(roles, nodes=3, fields=fields) as deployment:
        talk = deployment.talk(20_000, 200, rate=60, seed=seed)
        storm = Storm(deployment, seed, kills=54)
        storm.rage(talk)
        print(storm.done)
        deployment.assert_lawful()
        deployment.verify()
