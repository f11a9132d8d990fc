"""Members of a group come, leave, are expelled, freeze and follow another topic.

Whatever happened: in the end everybody has a fair share, and nobody what another has.
"""

import asyncio
import contextlib
import random
import time

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from infra.kafka.client import client_options
from tests.infra.kafka.test_consumer_thread import PARTS, Told, consuming, topic
from tests.support.embedded import until

__all__ = ["topic"]

pytestmark = pytest.mark.kafka

SESSION = 3.0
MOST = 4


class Group:
    """Its members here, what they are to read, and what may happen to one of them."""

    def __init__(self, settings, topics, running, chance):
        self.settings = settings
        self.topics = topics
        self.running = running
        self.chance = chance
        self.members = []

    async def join(self):
        member, one = Told(), contextlib.AsyncExitStack()
        self.running.push_async_callback(one.aclose)
        further = {"session_timeout_ms": int(SESSION * 1000)}
        consumer = consuming(self.settings, member, **further)
        await (await one.enter_async_context(consumer)).subscribe([self.topics[0]])
        self.members.append((member, one))

    async def leave(self):
        await self.members.pop(self.chance.randrange(len(self.members)))[1].aclose()

    async def expel(self):
        await self._one().do(lambda consumer: consumer._coordinator.reset_generation())

    async def freeze(self):
        wait = self.chance.choice([0.2, 1.0, SESSION + 1])
        await self._one().do(lambda _: time.sleep(wait))

    async def follow(self):
        self.topics.reverse()
        await asyncio.gather(
            *(m.consumer.subscribe([self.topics[0]]) for m, _ in self.members)
        )

    async def suffer(self):
        """Let something happen to it, or more than one thing."""
        for _ in range(self.chance.choice([1, 1, 2, 3])):
            may = [self.join] * (len(self.members) < MOST)
            if len(self.members) > 1:
                may += [self.leave, self.expel, self.freeze, self.follow]
            await self.chance.choice(may)()

    def is_settled(self):
        """Whether all of the topic is shared out fairly."""
        all_of_it = [each for member, _ in self.members for each in member.ours]
        shares = sorted(len(member.ours) for member, _ in self.members)
        whole = sorted((self.topics[0], part) for part in range(PARTS))
        return sorted(all_of_it) == whole and shares[-1] - shares[0] <= 1

    def _one(self):
        return self.chance.choice(self.members)[0].consumer


@pytest.mark.parametrize("rounds", [12, pytest.param(300, marks=pytest.mark.long)])
async def test_who_is_left_has_a_fair_share(kafka_settings, topic, rounds):
    other = f"{topic}-g2"
    admin = KafkaAdminClient(**client_options(kafka_settings, "test"))
    admin.create_topics([NewTopic(other, PARTS, 1)])
    admin.close()
    chance = random.Random(1)
    async with contextlib.AsyncExitStack() as running:
        group = Group(kafka_settings, [topic, other], running, chance)
        for _ in range(rounds):
            await group.suffer()
            await until(group.is_settled, 90)
