"""Every shard has one partition, and partitions share out all shards in order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from infra.kafka.names import SHARDS, partition_of, shards_of, topic_of
from infra.settings import Settings


@settings(deadline=None)
@given(some.integers(1, SHARDS))
def test_partitions_share_out_the_shards(partitions):
    shared = [shard for p in range(partitions) for shard in shards_of(p, partitions)]
    assert shared == list(range(SHARDS))


@given(some.integers(1, SHARDS), some.integers(0, SHARDS - 1))
def test_a_shard_is_among_those_of_its_partition(partitions, shard):
    assert shard in shards_of(partition_of(shard, partitions), partitions)


@pytest.mark.parametrize(
    ("generation", "topic"), [(1, "memory"), (2, "memory-g2"), (12, "memory-g12")]
)
def test_the_first_generation_has_the_plain_name(generation, topic):
    chosen = Settings(_env_file=None, kafka_topic="memory")
    assert topic_of(chosen, generation) == topic
