"""Where a processor stands is not asked again as long as it alone moves on."""

import pytest

from infra.delivery import FeedLimits
from infra.kafka.shard_ledger import ShardLedger
from tests.support.feeding import Scripted
from tests.support.kafka_feeding import kafka_feeding, settings
from tests.support.reactions import memory, opened

__all__ = ["memory", "opened", "settings"]

pytestmark = pytest.mark.kafka

PATIENT = FeedLimits(idle=60.0)


class Counted(ShardLedger):
    """Counts how often it is asked where its processor stands."""

    asked = 0

    async def standing(self):
        self.asked += 1
        return await super().standing()


@pytest.fixture
async def feeding(opened, database, settings):
    async with kafka_feeding(database.dsn(), opened, settings) as feeding:
        yield feeding


async def delivered(feeding, feed, scripted, texts):
    """Let it take turns until it was delivered these."""
    for _ in range(20):
        await feeding.until_fetched()
        await feed.turn()
        if scripted.texts("w/s") == texts:
            return
    assert scripted.texts("w/s") == texts


async def begun(memory, feeding):
    """A feed that has delivered one message."""
    scripted = Scripted()
    ledger = Counted(feeding.pool, scripted.name)
    feed = await feeding.feed(scripted, PATIENT, ledger)
    await memory.say("a")
    await delivered(feeding, feed, scripted, ["a"])
    return scripted, ledger, feed


async def test_what_it_moved_itself_is_known(memory, feeding):
    scripted, ledger, feed = await begun(memory, feeding)
    ledger.asked = 0
    for number, text in enumerate("bcde", 2):
        await memory.say(text)
        await delivered(feeding, feed, scripted, list("abcde"[:number]))
    assert ledger.asked == 0
    assert (await ledger.standing()).position >= await feeding.log.store.head()


async def test_what_another_moved_meanwhile_is_asked_for(memory, feeding):
    scripted, ledger, feed = await begun(memory, feeding)
    [said] = await memory.say("b")
    await feeding.pool.execute(
        "UPDATE work.shard_range SET position = $1", said.position
    )
    ledger.asked = 0
    await memory.say("c")
    await delivered(feeding, feed, scripted, ["a", "b", "c"])
    await feed.turn()
    assert ledger.asked > 0
    assert (await ledger.standing()).position >= await feeding.log.store.head()
