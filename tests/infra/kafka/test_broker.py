"""The broker the other tests rely on is a real one: it keeps what it is given."""

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from infra.kafka.client import NoBrokers, client_options
from infra.settings import Settings

pytestmark = pytest.mark.kafka


def test_what_is_sent_is_there_to_be_read(kafka_settings):
    options = client_options(kafka_settings, "test")
    admin = KafkaAdminClient(**options)
    admin.create_topics([NewTopic(kafka_settings.kafka_topic, 1, 1)])
    admin.close()
    producer = KafkaProducer(**options, enable_idempotence=True)
    sent = producer.send(kafka_settings.kafka_topic, value=b"hello", partition=0)
    producer.flush()
    assert sent.get(60).offset == 0
    producer.close()
    consumer = KafkaConsumer(**options, group_id=None)
    place = TopicPartition(kafka_settings.kafka_topic, 0)
    consumer.assign([place])
    consumer.seek(place, 0)
    [record] = consumer.poll(60_000)[place]
    consumer.close()
    assert record.value == b"hello"


def test_without_an_address_there_is_no_client(monkeypatch):
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    with pytest.raises(NoBrokers):
        client_options(Settings(_env_file=None), "test")
