"""No broker answers for a while: writes go on, and what follows is done later."""

import time

import psutil
import pytest

pytestmark = pytest.mark.kafka

GROWS = 64 * 2**20
"""Bytes a process may grow by while there is no broker: nothing piles up in memory."""

LINES = 6
"""Lines a process may say of a broker that is away and comes back."""


def cut(deployment):
    deployment.proxy.cut()


def stall(deployment):
    deployment.proxy.stall()


def mend(deployment):
    deployment.proxy.mend()


def freeze(deployment):
    deployment.cluster.brokers[0].freeze()


def thaw(deployment):
    deployment.cluster.brokers[0].thaw()


@pytest.mark.parametrize(
    ("goes", "comes", "seconds", "messages"),
    [
        pytest.param(cut, mend, 5, 300, id="cut"),
        pytest.param(freeze, thaw, 5, 300, id="frozen"),
        *(
            pytest.param(
                *ways, 60, 3_600, id=f"{name} for long", marks=pytest.mark.long
            )
            for name, ways in {
                "cut": (cut, mend),
                "stalled": (stall, mend),
                "frozen": (freeze, thaw),
            }.items()
        ),
    ],
)
def test_without_a_broker_everything_is_accepted_and_follows_later(
    deployment, goes, comes, seconds, messages
):
    deployment.fleet.until_ready()
    talk = deployment.talk(messages, 20, rate=0.7 * messages / seconds)
    talk.until_said(messages // 10)
    said, sizes = lines_of(deployment), sizes_of(deployment)
    begun = time.monotonic()
    goes(deployment)
    try:
        talk.until_said(messages * 3 // 5)
        time.sleep(max(0.0, begun + seconds - time.monotonic()))
        grown = sizes_of(deployment)
    finally:
        comes(deployment)
    deployment.assert_lawful()
    assert talk.repeated == 0, "the API needs no broker"
    assert {name for name in sizes if grown[name] - sizes[name] > GROWS} == set()
    told = {name: n - said[name] for name, n in lines_of(deployment).items()}
    assert {name: n for name, n in told.items() if n > LINES} == {}


def lines_of(deployment):
    """Count what each process has said of trouble."""
    return {
        each.name: sum(
            '"WARNING"' in line or '"ERROR"' in line
            for line in each.said().splitlines()
        )
        for each in deployment.fleet.members
        if each.wanted
    }


def sizes_of(deployment):
    return {
        each.name: psutil.Process(each.process.pid).memory_info().rss
        for each in deployment.fleet.members
        if each.wanted
    }
