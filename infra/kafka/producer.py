"""A transactional producer that writes pages, and waits for nothing without a bound.

kafka-python waits for the end of a transaction however long that takes, and a broker
that went away may never end it. Here every wait has its bound, and ends at once when
the producer is given up by another thread. A page's records are encoded by us and put
into the client's own queue as whole batches (``encoding.py``); sending, retrying and
transactions are the client's.
"""

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, Final

from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.producer.producer_batch import FinalState, ProducerBatch
from kafka.record.memory_records import MemoryRecordsBuilder

from infra.kafka.client import sender_options
from infra.kafka.encoding import Encoded, encoded
from infra.kafka.names import transactional_id_of
from infra.kafka.record import Outgoing
from infra.kafka.topics import LARGEST
from infra.settings.kafka import KafkaSettings

ANSWERS_WITHIN: Final = 10.0
"""Seconds a broker has for one answer."""

WRITES_WITHIN: Final = 20.0
"""Seconds a page has to be committed; then all is begun anew."""

_LOOK: Final = 0.1
_BATCH: Final = 512 * 1024
"""Bytes of a batch: half of what a broker takes unless it is told otherwise."""

_FORMAT, _PLAIN = 2, 0
_BACK_OFF: Final = 5
"""Milliseconds between tries. The end of a transaction is tried for until the one
before is over on the brokers: 100, the client's own, made 5 ms pages 110 ms ones."""


class PageProducer:
    """Writes pages, each as a whole, once it has fenced who did so before.

    Each call blocks; all but ``give_up`` are for one thread.
    """

    def __init__(self, settings: KafkaSettings, topic: str) -> None:
        self._settings = settings
        self._topic = topic
        self._producer: Any = None
        self._given_up = False

    def fence(self) -> None:
        """End what a former producer of this topic left; it can write no more.

        Raises:
            NoBrokers, kafka.errors.KafkaError
        """
        self._producer = KafkaProducer(
            **sender_options(self._settings, "relay"),
            transactional_id=transactional_id_of(self._settings, self._topic),
            enable_idempotence=True,
            acks="all",
            allow_auto_create_topics=False,
            batch_size=_BATCH,
            linger_ms=0,
            max_request_size=2 * LARGEST,
            retry_backoff_ms=_BACK_OFF,
            reconnect_backoff_max_ms=1_000,
            request_timeout_ms=int(ANSWERS_WITHIN * 1000),
            delivery_timeout_ms=int(WRITES_WITHIN * 1000),
            transaction_timeout_ms=int(2 * WRITES_WITHIN * 1000),
            bootstrap_timeout_ms=int(ANSWERS_WITHIN * 500),
            max_block_ms=int(ANSWERS_WITHIN * 1000),
            metrics_enabled=False,
        )
        self._wait(self._transactions.initialize_transactions())

    def write(self, page: Mapping[int, Sequence[Outgoing]]) -> None:
        """Write records, by partition and in order: all of them or none.

        Raises:
            kafka.errors.KafkaError: begin anew with another producer; whether the
                page is in the topic, the topic tells.
        """
        self._producer.partitions_for(self._topic)  # asks once who leads them
        self._producer.begin_transaction()
        batches = [
            self._queued(partition, each)
            for partition, records in page.items()
            for each in encoded(records, _BATCH)
        ]
        self._wait(self._transactions.begin_commit())
        for batch in batches:
            if batch.final_state is not FinalState.SUCCEEDED:
                raise KafkaError("Records were not acknowledged")

    def give_up(self) -> None:
        """Let whoever waits here wait no longer; from any thread."""
        self._given_up = True

    def close(self) -> None:
        """Let go of everything; a page that is not committed never will be."""
        if self._producer is None:
            return
        # Closing waits for what is under way, unless that was ended before.
        self._sender.force_close()
        self._sender.join(ANSWERS_WITHIN)
        self._producer.close(timeout=1)

    # The public calls wait without a bound (kafka-python 3.0.12).

    @property
    def _transactions(self) -> Any:
        return self._producer._transaction_manager  # noqa: SLF001

    @property
    def _sender(self) -> Any:
        return self._producer._sender  # noqa: SLF001

    def _queued(self, partition: int, each: Encoded) -> ProducerBatch:
        """Put records into the client's queue, as if it had encoded them."""
        place = TopicPartition(self._topic, partition)
        self._transactions.maybe_add_partition_to_transaction(place)
        records = MemoryRecordsBuilder(_FORMAT, _PLAIN, _BATCH)
        builder, records._next_offset = records._builder, each.count  # noqa: SLF001
        builder._buffer += each.records  # noqa: SLF001
        builder._num_records = each.count  # noqa: SLF001
        builder._last_offset = each.count - 1  # noqa: SLF001
        builder._first_timestamp = each.first_ms  # noqa: SLF001
        builder._max_timestamp = each.last_ms  # noqa: SLF001
        batch = ProducerBatch(place, records)
        queue = self._producer._accumulator  # noqa: SLF001
        with queue._tp_lock(place):  # noqa: SLF001
            queue._batches[place].append(batch)  # noqa: SLF001
            queue._incomplete.add(batch)  # noqa: SLF001
        return batch

    def _wait(self, result: Any) -> None:
        self._sender.wakeup()
        deadline = monotonic() + WRITES_WITHIN
        while not result.wait(timeout_ms=_LOOK * 1000):
            if self._transactions.has_error():  # theirs would never tell
                raise self._transactions.last_error
            if self._given_up or monotonic() > deadline:
                raise KafkaTimeoutError("A transaction did not end in time")
