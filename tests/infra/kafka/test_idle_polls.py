"""A consumer nobody asks anything of polls seldom, and often when it is asked."""

from types import SimpleNamespace

from infra.kafka import consuming
from infra.kafka.consuming import POLL_MS, Consuming


class Assigned:
    """A consumer with a partition in which there is nothing."""

    def __init__(self):
        self.waits = []

    def assignment(self):
        return {("t", 0)}

    def poll(self, timeout_ms, **_):
        self.waits.append(timeout_ms)
        return {}


def test_polls_are_long_until_a_command_comes(monkeypatch):
    now, consumer, asked = [100.0], Assigned(), []
    monkeypatch.setattr(consuming, "monotonic", lambda: now[0])
    inside = Consuming({}, 1, lambda: None, lambda _: None)
    monkeypatch.setattr(inside, "_look_around", lambda: None)
    for passed in (0.0, 3.0, 3.0):
        now[0] += passed
        inside._turn(consumer)
    inside.commands.put(asked.append)
    inside._turn(consumer)
    assert asked == [consumer]
    short, long, still, again = consumer.waits
    assert short == again == POLL_MS
    assert long == still > 2 * POLL_MS


def test_who_is_told_to_stop_waits_for_no_topic():
    asked = []
    inside = Consuming({}, 1, lambda: None, lambda _: None)
    inside._client = SimpleNamespace(
        cluster=SimpleNamespace(
            partitions_for_topic=lambda _: None, request_update=lambda: asked.append(1)
        )
    )
    inside.stopping.set()
    inside.subscribe(SimpleNamespace(subscribe=lambda **_: None), ["t"])
    assert len(asked) <= 1
