"""Kills at random moments, by a seed that tells the same story again."""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.support.deployment import Deployment
from tests.support.kafka_broker import Broker, until_ready
from tests.support.talk import Talk

DOWN = 0.5
"""Seconds a broker is away before it is started again, at least."""


@dataclass
class Storm:
    """``kills`` of them while somebody talks, each victim as often as the others.

    ``done`` tells when (seconds since the beginning) what was killed.
    """

    deployment: Deployment
    seed: int
    kills: int
    done: list[tuple[float, str]] = field(default_factory=list)
    _returning: threading.Thread | None = None

    def rage(self, talk: Talk) -> None:
        """Kill as the messages come in, the last ones when all is said."""
        chance = random.Random(self.seed)
        victims = self._victims(chance)
        names = list(victims)
        order = [names[number % len(names)] for number in range(self.kills)]
        chance.shuffle(order)
        began = time.monotonic()
        for number, name in enumerate(order, 1):
            most = talk.messages * number / self.kills
            talk.until_said(round(most - chance.random() * talk.messages / self.kills))
            time.sleep(chance.random() / 2)
            told = victims[name]()
            self.done.append((round(time.monotonic() - began, 1), told))
        self._back()

    def _victims(self, chance: random.Random) -> Mapping[str, Callable[[], str]]:
        roles = ("relay", "worker", "projector", "api")
        found: dict[str, Callable[[], str]] = {
            role: lambda role=role: self._kill_one(role, chance)  # type: ignore[misc]
            for role in roles
        }
        return found | {"broker": self._kill_broker, "postgres": self._kill_postgres}

    def _kill_one(self, role: str, chance: random.Random) -> str:
        member = chance.choice(self.deployment.fleet.of(role))
        member.kill()
        return member.name

    def _kill_broker(self) -> str:
        """Kill the one that leads a partition, and start it again a little later.

        None is killed before the last one is back: of three, two keep everything.
        """
        self._back()
        brokers = self.deployment.cluster.brokers
        leader = brokers[0]
        if len(brokers) > 1:
            leader = self.deployment.cluster.leader_of(self.deployment.topic)
        leader.kill()
        self._returning = threading.Thread(target=_return, args=(leader,))
        self._returning.start()
        return f"broker {leader.node}"

    def _back(self) -> None:
        if self._returning is not None:
            self._returning.join(120)
            assert not self._returning.is_alive()

    def _kill_postgres(self) -> str:
        self.deployment.fleet.kill_postgres()
        return "postgres"


def _return(broker: Broker) -> None:
    time.sleep(DOWN)
    broker.launch()
    until_ready(broker)
