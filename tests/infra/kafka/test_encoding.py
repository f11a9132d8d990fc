"""Our encoding of records is byte for byte that of the client."""

from hypothesis import given, settings
from hypothesis import strategies as some
from kafka.record.default_records import DefaultRecordBatchBuilder

from infra.kafka.encoding import encoded
from infra.kafka.record import Outgoing

RECORDS = some.lists(
    some.builds(
        Outgoing,
        shard=some.just(0),
        key=some.binary(max_size=200),
        value=some.binary(max_size=200) | some.binary(min_size=8_000, max_size=9_000),
        headers=some.lists(
            some.tuples(some.text(max_size=40), some.binary(max_size=300)), max_size=14
        ),
        timestamp_ms=some.integers(0, 2**42),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=40)
@given(RECORDS, some.sampled_from([1, 5_000, 2**20]))
def test_it_is_what_the_client_writes(records, most):
    batches = encoded(records, most)
    assert sum(each.count for each in batches) == len(records)
    rest = iter(records)
    for batch in batches:
        theirs = DefaultRecordBatchBuilder(2, 0, False, -1, -1, -1, 2**30)
        empty = theirs.size()
        for offset in range(batch.count):
            record = next(rest)
            theirs.append(
                offset, record.timestamp_ms, record.key, record.value, record.headers
            )
        assert bytes(theirs._buffer[empty:]) == batch.records
        assert theirs._first_timestamp == batch.first_ms
        assert theirs._max_timestamp == batch.last_ms


@settings(deadline=None, max_examples=20)
@given(RECORDS)
def test_a_batch_is_small_or_a_single_record(records):
    for batch in encoded(records, 5_000):
        assert batch.count == 1 or len(batch.records) < 5_000 + 14 * 400 + 400
