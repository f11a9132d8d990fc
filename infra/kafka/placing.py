"""Where a place of the topic goes on, so that nothing a processor needs is left out."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from infra.kafka.consumer_thread import ConsumerThread
from infra.kafka.place import Place
from infra.kafka.shard_ranges import ShardRange
from infra.postgres.log_by_shards import LogByShards

_NEAR: Final = 10_000
"""Positions a processor may be behind the foremost and still be waited for."""


class Start(msgspec.Struct, frozen=True):
    """All of a place's events after ``position`` are at ``offset`` or beyond."""

    position: int
    offset: int


class Placing:
    """Finds starts; whoever stands before them reads the log until there."""

    def __init__(self, consumer: ConsumerThread, log: LogByShards) -> None:
        self._consumer = consumer
        self._log = log

    async def find(
        self,
        ranges: Mapping[Place, Sequence[ShardRange]],
        damaged: Collection[Place] = (),
    ) -> Mapping[Place, Start]:
        """Return where places go on whose processors stand in these ranges.

        Those that are ``damaged`` go on behind all they have; the log has it, too.
        """
        if not ranges:
            return {}
        places = list(ranges)
        wanted = {place: _near(those) for place, those in ranges.items()}
        begin = await self._consumer.beginnings(places)
        ends = await self._consumer.ends(places)
        head = await self._log.newest()  # after the ends: what is beyond comes later
        timed = await self._by_time(wanted, begin)
        found: dict[Place, Start] = {}
        for place, those in wanted.items():
            position = min(each.position for each in those)
            exact = [each.next for each in those if each.place == place]
            offsets = [each for each in exact if each is not None]
            offset, is_whole = timed.get(place, 0), begin[place] == 0
            if len(offsets) == len(those):
                offset, is_whole = min(offsets), min(offsets) >= begin[place]
            elif not is_whole:
                is_whole = offset > begin[place]
            is_whole = is_whole and place not in damaged
            if is_whole and offset <= ends[place]:
                found[place] = Start(position, offset)
            else:  # retention took it, or this is another topic than it was
                found[place] = Start(head, ends[place])
        return found

    async def _by_time(
        self,
        wanted: Mapping[Place, Sequence[ShardRange]],
        begin: Mapping[Place, int],
    ) -> Mapping[Place, int]:
        """Return offsets found by the time of the last event that is done."""
        found, times = dict(begin), {}
        for place, those in wanted.items():
            position = min(each.position for each in those)
            at = await self._log.event_at(position) if position else None
            if at is not None:
                times[place] = int(at[1].timestamp() * 1000)
        if times:
            found |= await self._consumer.at_times(times)
        return found


def _near(ranges: Sequence[ShardRange]) -> list[ShardRange]:
    """Return those that stand near the foremost; the others come by the log."""
    foremost = max(each.position for each in ranges)
    return [each for each in ranges if each.position >= foremost - _NEAR]
