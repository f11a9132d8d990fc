"""Where the relay stands: how far each generation is, who leads, how late it is."""

import asyncpg
import msgspec

from infra.kafka.generations import Generation, Generations
from infra.kafka.names import relay_right, stand_in_right
from infra.postgres.leadership import Leader, leader_of
from infra.settings.kafka import KafkaSettings

_LATE = """
WITH log_head AS (SELECT coalesce(max(position), 0) AS head FROM log.event)
SELECT head, coalesce(greatest(0, round(extract(
    epoch FROM clock_timestamp() - e.recorded_at), 3)), 0)::float8 AS seconds
FROM log_head LEFT JOIN log.event e ON e.position = $1 + 1
"""

_DAMAGED = """
SELECT count(*) FROM work.damaged AS d JOIN work.topic AS t USING (topic)
WHERE t.base = $1 AND t.state = 'serving'
"""

_LETTERS = "SELECT count(*) FROM work.letter"


class RelayStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The head of the log, the generations, and how far behind the serving one is.

    ``lag_seconds`` is the age of the oldest event that is not in the topic. ``leader``
    is None where no relay runs, or none that reached the database. ``damaged`` events
    of the serving one were to be opened and could not be: it has them as stored.
    ``stands_in`` is the worker that is fed from the log while the topic is gone,
    ``letters`` are dead letters that wait to be sent.
    """

    head: int
    generations: list[Generation]
    leader: Leader | None
    lag_events: int
    lag_seconds: float
    damaged: int = 0
    stands_in: Leader | None = None
    letters: int = 0


async def relay_standing(
    database: asyncpg.Pool, settings: KafkaSettings
) -> RelayStanding:
    """Return where the relay of ``KAFKA_TOPIC`` stands; no broker is asked."""
    generations = await Generations(database, settings).all()
    serving = [each for each in generations if each.state == "serving"]
    position = serving[0].position if serving else 0
    row = await database.fetchrow(_LATE, position)
    return RelayStanding(
        head=row["head"],
        generations=generations,
        leader=await leader_of(database, relay_right(settings)),
        lag_events=max(0, row["head"] - position),
        lag_seconds=row["seconds"],
        stands_in=await leader_of(database, stand_in_right(settings)),
        damaged=await database.fetchval(_DAMAGED, settings.kafka_topic),
        letters=await database.fetchval(_LETTERS),
    )
