"""While the topic that serves is gone, one worker is fed from the log in its place.

The group has nothing to share out then, and the relay makes no topic anew unasked.
Ranges of shards move by compare-and-set, whoever feeds them.
"""

import asyncio
import logging
from typing import Final, NoReturn

from kafka.errors import KafkaError

from infra.kafka.generations import Generation, Generations
from infra.kafka.inflow import Inflow
from infra.kafka.inlet import Inlet
from infra.kafka.names import shards_of, stand_in_right
from infra.kafka.place import Place
from infra.kafka.topics import partitions_of
from infra.kafka.trouble import Trouble
from infra.postgres.connection import FAILED
from infra.postgres.leadership import LeadershipLost, lead
from infra.postgres.log_by_shards import LogByShards
from infra.settings.kafka import KafkaSettings
from infra.telemetry.said_once import NEWS

_LOG: Final = logging.getLogger(__name__)

LOOK: Final = 1.0

_SURE: Final = 3
"""Looks in a row at brokers that know no such topic until it counts as gone."""


class WithoutTopic:
    """Looks whether there is a topic, and feeds an inflow while there is none."""

    def __init__(
        self,
        dsn: str,
        settings: KafkaSettings,
        generations: Generations,
        log: LogByShards,
        inflow: Inflow,
    ) -> None:
        self._dsn = dsn
        self._settings = settings
        self._unseen = Trouble(_LOG, "the topic is not looked at: %s")
        self._right = stand_in_right(settings)
        self._generations = generations
        self._log = log
        self._inflow = inflow

    async def run(self) -> NoReturn:
        """Do so for ever; cancel to stop."""
        while True:
            try:
                await self._turn()
                self._unseen.end("the topic is looked at again")
            except (KafkaError, LeadershipLost, *FAILED) as away:
                self._unseen.begin(away)
            await asyncio.sleep(LOOK)

    async def _turn(self) -> None:
        for _ in range(_SURE):
            if await self._gone() is None:
                return
            await asyncio.sleep(LOOK)
        async with lead(self._dsn, self._right) as led:
            await led.during(self._stand_in())

    async def _gone(self) -> Generation | None:
        """Return the generation that serves if brokers answer and have it not."""
        serving = await self._generations.serving()
        if serving is None or self._inflow.consumer.away.now is not None:
            return None
        if await self._inflow.consumer.parts(serving.topic):
            return None
        # To whom a topic is forbidden it seems to be gone; asked by name, they say so.
        there = await partitions_of(self._settings, serving.topic)
        return None if there else serving

    async def _stand_in(self) -> None:
        """Feed from the log until there is a topic, its old one or the next."""
        told = False
        try:
            while (gone := await self._gone()) is not None:
                if not told:
                    _LOG.warning(
                        "%s is gone: the log is read instead", gone.topic, extra=NEWS
                    )
                    told = True
                self._inflow.feed_from_log(_inlets(gone, await self._log.newest()))
                await asyncio.sleep(LOOK)
        finally:
            self._inflow.feed_from_log(())
        if told:
            _LOG.warning(
                "there is a topic again: the log is not read instead of it", extra=NEWS
            )


def _inlets(generation: Generation, head: int) -> list[Inlet]:
    """Return inlets that hold nothing: up to their floor the log is read."""
    partitions = generation.partitions
    return [
        Inlet(Place(generation.topic, part), shards_of(part, partitions), head, 0)
        for part in range(partitions)
    ]
