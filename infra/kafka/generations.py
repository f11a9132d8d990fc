"""Generations of the topic: which serves, which is filled, which are over.

The table ``work.topic``, shared by relays, consumers and commands; nothing here asks
a broker. At most one generation serves.
"""

from collections.abc import Sequence
from typing import Final, Literal

import asyncpg
import msgspec

from infra.kafka.names import topic_of
from infra.settings.kafka import KafkaSettings

State = Literal["filling", "full", "serving", "ended", "lost", "retired"]


class Superseded(Exception):  # noqa: N818  says what happened
    """Another process moved this generation on meanwhile; look again."""


class FillingUnderWay(Exception):  # noqa: N818  says what was found
    """Another command fills the next generation now."""


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """One generation: its topic, and what of the log is in it.

    Everything up to ``position`` is in the topic; ``tails`` are the positions of the
    last record of each partition, none while nothing was written. A ``filling`` one
    is written by a command; a ``full`` one waits for the relay to let it serve;
    ``ended_at`` is the position up to which consumers read an ended one. Of a
    ``lost`` one nothing can be read any more, nor of a ``retired`` one: its topic was
    deleted once consumers were beyond its end.
    """

    number: int
    topic: str
    partitions: int
    state: State
    position: int = 0
    tails: tuple[int, ...] = ()
    ended_at: int | None = None


_COLUMNS: Final = (
    "generation AS number, topic, partitions, state, position, tails, ended_at"
)
_ALL: Final = f"SELECT {_COLUMNS} FROM work.topic WHERE base = $1 ORDER BY generation"  # noqa: S608  constants
_SERVING: Final = (
    f"SELECT {_COLUMNS} FROM work.topic WHERE base = $1 AND state = 'serving'"  # noqa: S608  constants
)
_FOLLOWING: Final = f"""
SELECT {_COLUMNS} FROM work.topic WHERE base = $1 AND state = 'full'
ORDER BY generation DESC LIMIT 1
"""  # noqa: S608  constants

_FIRST: Final = """
INSERT INTO work.topic (base, generation, topic, partitions, state)
SELECT $1, 1, $2, $3, 'serving'
WHERE NOT EXISTS (SELECT FROM work.topic WHERE base = $1)
ON CONFLICT DO NOTHING
"""

_NEXT: Final = f"""
WITH last AS (
    SELECT coalesce(max(generation), 0) AS generation FROM work.topic WHERE base = $1
)
INSERT INTO work.topic (base, generation, topic, partitions, state)
SELECT $1, generation + 1, $2 || '-g' || generation + 1, $3, 'filling' FROM last
RETURNING {_COLUMNS}
"""  # noqa: S608  constants

# Losing this to a crash of the machine only means that tails are read back further.
_MOVE: Final = """
WITH quick AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true) AS commit
)
UPDATE work.topic SET position = $4, tails = $5 FROM quick
WHERE base = $1 AND generation = $2 AND position = $3
    AND state IN ('filling', 'full', 'serving') AND quick.commit = 'off'
"""

_TURN: Final = """
UPDATE work.topic SET state = $4 WHERE base = $1 AND generation = $2 AND state = $3
"""

_END: Final = """
UPDATE work.topic SET state = 'ended', ended_at = position
WHERE base = $1 AND generation = $2 AND state = 'serving'
"""

_DAMAGED: Final = """
INSERT INTO work.damaged (topic, position) SELECT $1, unnest($2::bigint[])
ON CONFLICT DO NOTHING
"""

_RETIRE: Final = """
UPDATE work.topic SET state = 'retired', retired_at = now()
WHERE base = $1 AND generation = $2 AND state = 'ended'
"""


class Generations:
    """The generations of one topic, ``KAFKA_TOPIC``."""

    def __init__(self, pool: asyncpg.Pool, settings: KafkaSettings) -> None:
        self._pool = pool
        self._base = settings.kafka_topic
        self.first_topic = topic_of(settings, 1)

    async def all(self) -> list[Generation]:
        """Return all there are or were, the oldest first."""
        return [_read(row) for row in await self._pool.fetch(_ALL, self._base)]

    async def serving(self) -> Generation | None:
        """Return the one relays write to, None before the first relay ran."""
        row = await self._pool.fetchrow(_SERVING, self._base)
        return None if row is None else _read(row)

    async def following(self) -> Generation | None:
        """Return the full one that waits to serve."""
        row = await self._pool.fetchrow(_FOLLOWING, self._base)
        return None if row is None else _read(row)

    async def begin(self, partitions: int) -> None:
        """Let the first generation serve, if there is none at all."""
        await self._pool.execute(_FIRST, self._base, self.first_topic, partitions)

    async def add(self, partitions: int) -> Generation:
        """Begin the next generation, to be filled.

        Raises:
            Superseded: another one was begun at the same time.
        """
        try:
            row = await self._pool.fetchrow(_NEXT, self._base, self._base, partitions)
        except asyncpg.UniqueViolationError as error:
            raise Superseded from error
        return _read(row)

    async def move(
        self, generation: Generation, position: int, tails: Sequence[int]
    ) -> Generation:
        """Note that everything up to ``position`` is in its topic.

        Raises:
            Superseded: it was moved by another, or is over.
        """
        moved = await self._pool.execute(
            *(_MOVE, self._base, generation.number, generation.position),
            *(position, list(tails)),
        )
        if moved != "UPDATE 1":
            raise Superseded
        return msgspec.structs.replace(
            generation, position=position, tails=tuple(tails)
        )

    async def note_damaged(self, topic: str, positions: Sequence[int]) -> None:
        """Note events that are in a topic as they are stored, for they do not open."""
        await self._pool.execute(_DAMAGED, topic, list(positions))

    async def turn(self, generation: Generation, state: State) -> Generation:
        """Change the state of one that does not serve.

        Raises:
            Superseded: it is in another state than it was.
        """
        turned = await self._pool.execute(
            _TURN, self._base, generation.number, generation.state, state
        )
        if turned != "UPDATE 1":
            raise Superseded
        return msgspec.structs.replace(generation, state=state)

    async def retire(self, generation: Generation) -> None:
        """Note that the topic of an ended one was deleted.

        Raises:
            Superseded: it is in another state.
        """
        given = (self._base, generation.number)
        if await self._pool.execute(_RETIRE, *given) != "UPDATE 1":
            raise Superseded

    async def change_over(
        self, former: Generation | None, following: Generation, *, lost: bool
    ) -> None:
        """End the one that serves at its position, or lose it; serve the next.

        Raises:
            Superseded: nothing was changed; they are not as they were given.
        """
        async with self._pool.acquire() as db, db.transaction():
            if former is not None:
                given = (self._base, former.number)
                statement = (
                    (_TURN, *given, "serving", "lost") if lost else (_END, *given)
                )
                if await db.execute(*statement) != "UPDATE 1":
                    raise Superseded
            served = await db.execute(
                *(_TURN, self._base, following.number, following.state, "serving")
            )
            if served != "UPDATE 1":
                raise Superseded


def _read(row: asyncpg.Record) -> Generation:
    found = dict(row)
    return Generation(**(found | {"tails": tuple(found["tails"])}))
