"""A copy that cannot be read is told of and read from the log, if the log can."""

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

import pytest

from domain.recorded import Recorded
from infra.codec.damaged import Damaged
from infra.codec.unknown import Unknown
from infra.kafka.decoding import decode
from infra.kafka.place import Place
from infra.kafka.record import outgoing
from infra.postgres.stored_row import StoredRow
from tests.support.log import CAUSE, said

PLACE = Place("events", 0)
ROW = StoredRow(
    position=7,
    recorded_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
    id=UUID(int=7),
    version=1,
    shard=0,
    stream="session-w+s",
    tenant="w",
    type="message-added",
    meta=b"{}",
    data=b"right",
)


class Log:
    """A log of one event, which reads ``right`` and nothing else."""

    def __init__(self, row):
        self.row = row
        self.asked = []

    async def ids_at(self, positions):
        return {p: self.row.id for p in positions if p == self.row.position}

    async def open_rows(self, rows):
        return [recorded(each) for each in rows]

    async def read_at(self, positions):
        self.asked += positions
        return [recorded(self.row) for p in positions if p == self.row.position]


def recorded(row):
    if row.type != ROW.type:
        event = Unknown(workspace="w", stored_type=row.type, raw=row.data)
    elif row.data != ROW.data:
        event = Damaged(workspace="w", stored_type=row.type, reason="broken")
    else:
        event = said("right")
    fields = row._asdict()
    for each in ("type", "meta", "data"):
        del fields[each]
    return Recorded(**fields, cause=CAUSE, event=event)


async def decoded(log, *copies):
    """Decode copies of the event, as one fetch brings them."""
    sent = [(copy, outgoing(copy, copy.data, "sealed")) for copy in copies]
    records = [
        SimpleNamespace(offset=n, value=copy.data, headers=record.headers)
        for n, (copy, record) in enumerate(sent)
    ]
    found = await decode({PLACE: records}, log, {PLACE.topic: 1})
    events = [each.recorded.event for each in found.arrived[PLACE]]
    return events, [(each.record.offset, each.reason) for each in found.poison]


async def test_a_copy_that_can_be_read_is_believed():
    log = Log(ROW._replace(data=b"damaged since"))
    assert await decoded(log, ROW) == ([said("right")], [])
    assert log.asked == []


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"data": b"wrong"}, "broken"),
        ({"type": "messagf-added"}, "The log has another type at its position"),
    ],
)
async def test_one_that_cannot_is_told_of_and_read_from_the_log(changed, reason):
    log = Log(ROW)
    told = await decoded(log, ROW._replace(**changed))
    assert told == ([said("right")], [(0, reason)])
    assert log.asked == [ROW.position]


@pytest.mark.parametrize("changed", [{"data": b"wrong"}, {"type": "brand-new"}])
async def test_what_the_log_has_no_better_is_handed_on_and_no_letter_written(changed):
    """Its key waits: that is told of, and the record is as the relay wrote it."""
    row = ROW._replace(**changed)
    assert await decoded(Log(row), row) == ([recorded(row).event], [])


async def test_of_two_copies_the_one_that_cannot_be_read_is_told_of():
    log = Log(ROW)
    events, told = await decoded(log, ROW, ROW._replace(type="messagf-added"))
    assert events == [said("right")] * 2
    assert told == [(1, "The log has another type at its position")]
