"""Tells of what could not be handled: records that are no events, keys that are parked.

Letters are written to the database first, and sent from there: nobody who is fed waits
for the brokers, and none is lost while there is room. At least once: the same letter
has the same id. Without room keys that are parked are told of later, and records that
are no events, which are in their topic, not at all: that is said, and counted. What is
sealed stays sealed.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, NoReturn, Protocol
from uuid import UUID, uuid5

import asyncpg
from kafka import KafkaProducer
from kafka.errors import KafkaError

from infra.kafka.client import sender_options
from infra.kafka.daemon import Daemon
from infra.kafka.decoding import Poison
from infra.kafka.letter_box import Header, Letter, LetterBox
from infra.kafka.record import outgoing
from infra.kafka.topics import LARGEST, make_topic
from infra.kafka.trouble import Trouble
from infra.postgres.connection import FAILED
from infra.postgres.stored_row import StoredRow
from infra.settings.kafka import KafkaSettings

_LOG: Final = logging.getLogger(__name__)

_NAMES: Final = UUID("6f1c6c0e-5d3a-5b0e-9a52-6d1f3f2f7a11")
_WITHIN: Final = 10.0
_LOOK: Final = 1.0
_MOST: Final = 8
"""Letters in memory; each may have 16 MiB."""

_CLOSED_WITHIN: Final = 2.0

_PARKED: Final = """
SELECT processor, ordering_key, position, reason, attempts, due_at FROM work.held
WHERE state = 'parked' AND letter_at IS NULL ORDER BY due_at LIMIT 20
FOR UPDATE SKIP LOCKED
"""

_TOLD: Final = """
UPDATE work.held SET letter_at = now() WHERE processor = $1 AND ordering_key = $2
"""


class Log(Protocol):
    """Reads the log as it is stored."""

    async def read_rows(self, *, after: int, limit: int) -> list[StoredRow]: ...


class DeadLetters:
    """Sends letters, by a producer in a thread that is made when the first is sent."""

    def __init__(self, settings: KafkaSettings, pool: asyncpg.Pool, log: Log) -> None:
        self._settings = settings
        self._topic = settings.kafka_dead_letters_topic
        self._pool = pool
        self._box = LetterBox(pool)
        self._log = log
        self._daemon = Daemon("palimpsest-letters")
        self._producer: Any = None
        self.waits = Trouble(_LOG, "dead letters wait: %s")
        self.dropped = 0

    async def run(self) -> NoReturn:
        """Send what waits and what was parked, for ever; cancel to stop."""
        while True:
            is_more = False
            try:
                await self._write_parked()
                is_more = await self._send_waiting()
            except (KafkaError, *FAILED) as away:
                self.waits.begin(away)
            if not is_more:
                await asyncio.sleep(_LOOK)

    async def close(self) -> None:
        """Let go of the producer, as far as brokers answer; nobody waits for more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSED_WITHIN):
                await self._daemon.do(self._let_go)
        # What was under way when time was up, or when whoever sent was stopped, may
        # still make a producer: it would send for ever.
        self._daemon.end(self._let_go)

    async def tell(self, poison: Collection[Poison]) -> None:
        """Write letters of records that are none of ours, as far as there is room.

        Raises:
            asyncpg.PostgresError, OSError: they are not written: fetch them again.
        """
        if not poison:
            return
        for each in poison:
            _LOG.warning(
                "%s/%d at %d is no event of ours: %s",
                *(each.place.topic, each.place.part, each.record.offset, each.reason),
            )
        if dropped := await self._box.offer([_of_record(each) for each in poison]):
            self.dropped += dropped
            _LOG.error("%d dead letters are dropped: too many wait", dropped)

    async def _write_parked(self) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(_PARKED)
            if not rows or await self._box.is_full():
                return
            await self._box.put([await self._of_parked(e) for e in rows], connection)
            told = [(row["processor"], row["ordering_key"]) for row in rows]
            await connection.executemany(_TOLD, told)

    async def _send_waiting(self) -> bool:
        """Send some; tell whether there may be more that can be."""
        letters = await self._box.take(_MOST)
        if not letters:
            return False
        try:
            sent = await self._send(letters)
        except KafkaError:
            await self._box.again([each.id for each in letters])
            raise
        await self._box.sent(sent)
        if len(sent) < len(letters):  # those are tried again in a while
            raise KafkaError("Letters were not acknowledged")
        self.waits.end("dead letters are sent again")
        return len(letters) == _MOST

    async def _send(self, letters: Sequence[Letter]) -> Sequence[UUID]:
        """Return the ids of those that were acknowledged.

        Raises:
            KafkaError: none was.
        """
        if self._producer is None:
            await make_topic(self._settings, self._topic, 1)
        try:
            return await self._daemon.do(partial(self._send_all, letters))
        except KafkaError:  # its topic may be gone, and made again
            await self._daemon.do(self._let_go)
            raise

    def _send_all(self, letters: Sequence[Letter]) -> Sequence[UUID]:
        if self._producer is None:
            self._producer = _producer(self._settings)
        under_way = [
            self._producer.send(
                self._topic, key=each.key, value=each.value, headers=each.headers
            )
            for each in letters
        ]
        sent, failed = [], None
        for each, future in zip(letters, under_way, strict=True):
            try:
                future.get(timeout=_WITHIN)
                sent.append(each.id)
            except KafkaError as error:
                failed = error
        if failed is not None and not sent:
            raise failed
        return sent

    def _let_go(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError):
                producer.close(1)

    async def _of_parked(self, row: asyncpg.Record) -> Letter:
        position = row["position"]
        found = await self._log.read_rows(after=position - 1, limit=1)
        name = f"{row['processor']}:{position}:{row['due_at'].isoformat()}"
        named = uuid5(_NAMES, name)
        told = [
            ("letter-id", str(named).encode()),
            ("letter-reason", row["reason"].encode()),
            ("letter-processor", row["processor"].encode()),
            ("letter-position", b"%d" % position),
            ("letter-attempts", b"%d" % row["attempts"]),
        ]
        if not found:
            return Letter(named, row["ordering_key"].encode(), None, told)
        record = outgoing(found[0], found[0].data, "sealed")
        return Letter(named, record.key, record.value, [*record.headers, *told])


def _producer(settings: KafkaSettings) -> Any:
    return KafkaProducer(
        **sender_options(settings, "dead-letters"),
        enable_idempotence=True,
        acks="all",
        max_request_size=2 * LARGEST,
        request_timeout_ms=int(_WITHIN * 500),
        delivery_timeout_ms=int(_WITHIN * 1000),
        bootstrap_timeout_ms=int(_WITHIN * 500),
        max_block_ms=int(_WITHIN * 1000),
        allow_auto_create_topics=False,
        metrics_enabled=False,
    )


def _of_record(poison: Poison) -> Letter:
    place, record = poison.place, poison.record
    named = uuid5(_NAMES, f"{place.topic}/{place.part}/{record.offset}")
    theirs: list[Header] = []
    with suppress(TypeError, ValueError):
        theirs = [(str(key), bytes(value or b"")) for key, value in record.headers]
    told = [
        ("letter-id", str(named).encode()),
        ("letter-reason", poison.reason.encode()),
        ("letter-topic", place.topic.encode()),
        ("letter-partition", b"%d" % place.part),
        ("letter-offset", b"%d" % record.offset),
    ]
    value = b"" if record.key is None and record.value is None else record.value
    return Letter(
        named, record.key, value, [*theirs, *told]
    )  # our client sends no nothing
