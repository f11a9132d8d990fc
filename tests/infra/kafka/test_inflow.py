"""What a worker has of the topic: given by the group, or while there is none, not."""

import msgspec
import pytest

from infra.kafka.generations import Generation
from infra.kafka.inflow import Inflow
from infra.kafka.inlet import Inlet
from infra.kafka.place import Place
from infra.kafka.shard_ledger import ShardStanding
from infra.kafka.shard_ranges import ShardRange

TOPIC = Generation(number=1, topic="t", partitions=1, state="serving")
PLACE = Place("t", 0)


class Nudged:
    """A consumer that is told to look around, and asked for partitions."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.topics = []

    def nudge(self):
        pass

    async def parts(self, _topic):
        return self.answers.pop(0) if self.answers else {0}

    async def subscribe(self, topics):
        self.topics = topics


def inflow():
    inflow = Inflow(None, None, None)
    inflow.consumer = Nudged()
    return inflow


def inlet():
    return Inlet(PLACE, range(1024), 7, 0)


async def test_what_the_group_gives_while_the_topic_still_counts_as_gone_is_kept():
    """It works again before the worker that is fed from the log has seen that."""
    fed, given = inflow(), inlet()
    fed.feed_from_log([inlet()])
    await fed.assigned([PLACE])
    fed.feed_from_log([inlet()])
    assert fed._unplaced == {PLACE}
    fed._inlets[PLACE] = given
    fed.feed_from_log([stand_in := inlet()])
    assert fed.inlets_of(TOPIC) == [stand_in]
    fed.feed_from_log(())
    assert fed.inlets_of(TOPIC) == [given]
    assert fed.places == 1


async def test_what_the_group_takes_away_is_fed_from_the_log_on():
    fed = inflow()
    await fed.assigned([PLACE])
    fed.feed_from_log([stand_in := inlet()])
    await fed.revoked([PLACE])
    assert fed.inlets_of(TOPIC) == [stand_in]
    fed.feed_from_log(())
    assert fed.inlets_of(TOPIC) == []
    assert fed.places == 0


class Known:
    """Generations of which the first has ended and the second serves."""

    async def all(self):
        ended = msgspec.structs.replace(TOPIC, state="ended", ended_at=9)
        return [ended, msgspec.structs.replace(TOPIC, number=2, topic="t-g2")]


@pytest.mark.parametrize(
    ("answers", "topics"),
    [([{0}], ["t"]), ([(), {0}], ["t"]), ([(), ()], ["t-g2"])],
)
async def test_an_ended_topic_counts_as_gone_once_brokers_said_so_twice(
    answers, topics
):
    """The client may take the answer to an earlier question for that."""
    fed = Inflow(Known(), None, None)
    fed.consumer = Nudged(*answers)
    begun = ShardRange(0, 1024, 3, PLACE, 0)
    fed.join("scripted", None).standing = ShardStanding([begun], {})
    await fed._look()
    await fed._look()
    assert fed.consumer.topics == topics
