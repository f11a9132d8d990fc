"""Workers join and leave all the time under load: every event is worked on once."""

import random
import signal

import pytest

pytestmark = pytest.mark.kafka

SEED = 6

WELL = {0, -signal.SIGTERM}
"""How who is asked to stop ends, the latter where it had not even begun."""


@pytest.mark.parametrize(
    ("messages", "changes"),
    [(400, 6), pytest.param(6_000, 60, marks=pytest.mark.long)],
)
def test_workers_that_come_and_go_lose_nothing_and_do_nothing_twice(
    deployment, messages, changes
):
    """Every other one leaves as it should, every other one is killed."""
    fleet, chance = deployment.fleet, random.Random(SEED)
    fleet.until_ready()
    talk = deployment.talk(messages, 20, rate=30)
    for number in range(1, changes + 1):
        talk.until_said(messages * number // (changes + 1))
        workers = fleet.of("worker")
        if len(workers) < 2 or (len(workers) < 4 and chance.random() < 0.5):
            fleet.add("worker")
        elif number % 2:
            assert chance.choice(workers).stop() in WELL
        else:
            chance.choice(workers).vanish()
    while len(fleet.of("worker")) > 2:
        assert fleet.of("worker")[-1].stop() in WELL
    while len(fleet.of("worker")) < 2:
        fleet.add("worker")
    deployment.assert_lawful()
