"""What the relay really writes, of every kind of event, is what strangers are told."""

import asyncio

import msgspec
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.event import tag_of
from domain.events import EVENT_BY_TAG, EVENTS
from infra.asyncapi.event_schemas import alone
from infra.asyncapi.headers import headers_schema
from infra.kafka.content import Opened, as_stored
from infra.kafka.record import outgoing
from infra.postgres.mapper import StructMapper
from infra.upcasters import UPCASTERS
from tests.golden.build import example
from tests.support.log import CAUSE, WORKSPACE, stream_of
from tests.support.relaying import relaying, topic_read

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("content", ["sealed", "clear"])
async def test_what_is_written_is_as_it_is_described(
    log_dsn, log, kafka_settings, content
):
    events = tuple(
        msgspec.structs.replace(example(event), workspace=WORKSPACE) for event in EVENTS
    )
    append = StreamAppend(stream_of("s"), ANY, events)
    appended = await log.store.append(AppendRequest(WORKSPACE, (append,), CAUSE))
    values = as_stored if content == "sealed" else opened(log)
    async with relaying(log_dsn, log, kafka_settings, values) as relay:
        generation = await relay.until(appended.last)
    found = await asyncio.to_thread(
        topic_read, kafka_settings, generation.topic, generation.partitions
    )
    rows = [each for records in found.values() for each in records]
    assert [each.row.type for each in rows] == [tag_of(event) for event in EVENTS]
    headers = Draft7Validator(headers_schema())
    for (row, form), event in zip(map(tuple_of, rows), EVENTS, strict=True):
        value = msgspec.json.decode(row.data)
        Draft202012Validator(alone(row.type, event)).validate(value)
        assert "sealed" not in value or form == "sealed"
        written = outgoing(row, row.data, form).headers
        headers.validate({name: text.decode() for name, text in written})
    said = next(each for each in rows if each.row.type == "message-added")
    assert (b"content-" in said.row.data) == (content == "clear")


def opened(log):
    return Opened(StructMapper(EVENT_BY_TAG, UPCASTERS), log.keys)


def tuple_of(read):
    return read.row, read.content
