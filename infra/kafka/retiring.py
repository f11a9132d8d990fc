"""Deletes the topics of ended generations that nobody has anything left to read in."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import asyncpg
import msgspec

from infra.kafka.generations import Generation, Generations, Superseded
from infra.kafka.topics import delete_topic, members_of
from infra.settings.kafka import KafkaSettings
from infra.vectors.progress import idle_readers
from projections.registry import LAGGING

_SEEN: Final = 60
"""Seconds after its last sign of life a consumer elsewhere reads nothing: where it
begins again, it begins in the generation that serves."""

# A processor reads on in a generation it began until all its shards are at the end.
_READERS: Final = """
SELECT processor AS name, 'processor' AS kind, min(position) AS position
FROM work.shard_range WHERE processor <> ALL ($3::text[])
GROUP BY processor HAVING min(position) < $2 AND bool_or(topic = $1)
UNION ALL
SELECT projection, 'projection', position FROM view.checkpoint
WHERE projection = ANY ($4::text[]) AND position < $2
UNION ALL
SELECT name, kind, position FROM work.consumer
WHERE position < $2 AND seen_at > now() - make_interval(secs => $5)
ORDER BY position, name
"""


class Reader(msgspec.Struct, frozen=True):
    """Who still reads a generation: the position it stands at, None of a stranger."""

    name: str
    kind: str
    position: int | None


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """An ended generation, who still reads it, and whether its topic was deleted."""

    number: int
    topic: str
    ended_at: int
    readers: Sequence[Reader]
    retired: bool = False


class Retiring:
    """Looks at ended generations through a pool that reads views, too."""

    def __init__(self, pool: asyncpg.Pool, settings: KafkaSettings) -> None:
        self._pool = pool
        self._settings = settings
        self._generations = Generations(pool, settings)

    async def ended(self) -> list[Ended]:
        """Return the ended generations whose topics were not deleted here, by age.

        Raises:
            NoBrokers, kafka.errors.KafkaError, asyncpg.PostgresError
        """
        return [
            await self._looked_at(each)
            for each in await self._generations.all()
            if each.state == "ended"
        ]

    async def retire(self, number: int) -> Ended:
        """Delete the topic of an ended generation, unless somebody reads it now.

        Broken off between the two, it is noted as retired when it is asked for again.

        Raises:
            NoBrokers, kafka.errors.KafkaError, asyncpg.PostgresError
        """
        [generation] = [
            each for each in await self._generations.all() if each.number == number
        ]
        found = await self._looked_at(generation)
        if found.readers:
            return found
        await delete_topic(self._settings, generation.topic)
        with suppress(Superseded):  # by another command, to the same end
            await self._generations.retire(generation)
        return msgspec.structs.replace(found, retired=True)

    async def _looked_at(self, generation: Generation) -> Ended:
        ended_at = generation.ended_at or 0
        rows = await self._pool.fetch(
            *(_READERS, generation.topic, ended_at),
            await idle_readers(self._pool),
            [each.name for each in LAGGING],
            _SEEN,
        )
        groups = await members_of(self._settings, generation.topic)
        return Ended(
            number=generation.number,
            topic=generation.topic,
            ended_at=ended_at,
            readers=[
                *(Reader(*row) for row in rows),
                *(Reader(name, "consumer group", None) for name in groups),
            ],
        )
