"""A processor that is fed from the topic, and which generation of it that reads."""

import asyncio
from collections.abc import Collection, Iterable

import msgspec

from infra.kafka.generations import Generation
from infra.kafka.shard_ledger import ShardLedger, ShardStanding


class Seat(msgspec.Struct):
    """A processor: its ledger, where it stood last, and what it reads."""

    name: str
    ledger: ShardLedger
    woken: asyncio.Event
    generation: Generation | None = None
    standing: ShardStanding | None = None

    def behind(self, shards: range) -> int:
        """Return positions of its topic that are not done of shards, as last seen."""
        if self.generation is None or self.standing is None:
            return 0
        positions = [e.position for e in self.standing.ranges if e.low in shards]
        return max(0, self.generation.position - min(positions, default=0))


def generation_of(
    standing: ShardStanding, known: Iterable[Generation], gone: Collection[str]
) -> Generation | None:
    """Return what a processor reads: what it began and has not finished, or now's.

    It has finished an ended generation once all its shards are there, whichever worker
    they are with. Of one that is lost, or whose topic is ``gone``, nothing can be read.
    """
    topics = {each.place.topic for each in standing.ranges if each.place}
    for each in known:
        is_begun = each.topic in topics and each.topic not in gone
        if each.state == "ended" and is_begun:
            if standing.position < (each.ended_at or 0):
                return each
        elif each.state == "serving":
            return each
    return None
