"""Names of topics, groups and partitions; all begin in settings."""

from typing import Final

from infra.settings.kafka import KafkaSettings

SHARDS: Final = 1024
"""As many as ``domain.names.shard_of`` tells apart."""


def topic_of(settings: KafkaSettings, generation: int) -> str:
    """Return a generation's topic: the first has the plain name, then -g2, -g3."""
    base = settings.kafka_topic
    return base if generation == 1 else f"{base}-g{generation}"


def group_of(settings: KafkaSettings, purpose: str) -> str:
    """Return the consumer group of a purpose, as in ``palimpsest.workers``."""
    return f"{settings.kafka_group_prefix}.{purpose}"


def workers_of(settings: KafkaSettings) -> str:
    """Return the consumer group of all workers."""
    return group_of(settings, "workers")


def transactional_id_of(settings: KafkaSettings, topic: str) -> str:
    """Return who writes a topic, for brokers: whoever comes next fences the last."""
    return f"{settings.kafka_group_prefix}.{topic}"


def relay_right(settings: KafkaSettings) -> str:
    """Return what the one relay of a topic leads (``infra.postgres.leadership``)."""
    return f"relay of {settings.kafka_topic}"


def stand_in_right(settings: KafkaSettings) -> str:
    """Return what the one worker leads that is fed without a topic."""
    return f"feeding without {settings.kafka_topic}"


def partition_of(shard: int, partitions: int) -> int:
    """Return where a shard goes: neighbours stay together (``event-store.md`` 3c)."""
    return shard * partitions // SHARDS


def shards_of(partition: int, partitions: int) -> range:
    """Return the shards of a partition, the inverse of :func:`partition_of`."""
    first = -(-partition * SHARDS // partitions)
    return range(first, -(-(partition + 1) * SHARDS // partitions))
