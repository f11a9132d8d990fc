"""The wire format: what was produced reads back as it was stored, for ever."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest

from infra.kafka.record import Foreign, incoming, outgoing
from infra.postgres.stored_row import StoredRow

GOLDEN = Path(__file__).parents[2] / "golden" / "kafka" / "record.json"

ROW = StoredRow(
    position=81,
    recorded_at=datetime(2026, 11, 28, 9, 30, 0, 123456, UTC),
    id=UUID("0199d3a0-0000-7000-8000-000000000001"),
    version=7,
    shard=513,
    stream="session-school+maths",
    tenant="school",
    type="message-added@2",
    meta=b'{"v":1,"actor":"client"}',
    data=b'{"workspace":"school","key":4,"sealed":"AAAA"}',
)


def spelled(out):
    return {
        "key": out.key.decode(),
        "value": out.value.decode(),
        "timestamp_ms": out.timestamp_ms,
        "headers": [[name, value.decode()] for name, value in out.headers],
    }


def test_a_record_is_what_it_ever_was():
    record = spelled(outgoing(ROW, ROW.data, "sealed"))
    assert record == json.loads(GOLDEN.read_text())


def test_a_record_reads_back_as_the_row_it_was():
    out = outgoing(ROW, ROW.data, "sealed")
    read = incoming(out.headers, out.value)
    assert (read.row, read.content) == (ROW, "sealed")


def test_a_record_tells_the_same_time_wherever_the_database_is():
    elsewhere = timezone(timedelta(hours=5, minutes=30))
    moved = ROW._replace(recorded_at=ROW.recorded_at.astimezone(elsewhere))
    assert incoming(outgoing(moved, b"{}", "clear").headers, b"{}").row == ROW._replace(
        data=b"{}"
    )


@pytest.mark.parametrize(
    "name",
    [
        *("ce_id", "ce_type", "ce_position", "ce_time", "ce_subject", "ce_shard"),
        *("ce_streamversion", "ce_tenant", "ce_meta", "ce_content"),
    ],
)
@pytest.mark.parametrize("wrong", [None, b"\xff"])
def test_a_record_without_a_header_is_foreign(name, wrong):
    if name == "ce_meta" and wrong:
        return  # bytes we hand on as they are
    headers = [
        each for each in outgoing(ROW, b"{}", "sealed").headers if each[0] != name
    ]
    if wrong:
        headers.append((name, wrong))
    with pytest.raises(Foreign):
        incoming(headers, b"{}")


@pytest.mark.parametrize("name", ["ce_type", "ce_position", "ce_meta", "theirs"])
def test_a_header_without_a_value_is_none(name):
    """Kafka allows it: a stranger's may be of any name."""
    sent = outgoing(ROW, b"{}", "sealed").headers
    headers = [each for each in sent if each[0] != name] + [(name, None)]
    if name == "theirs":
        assert incoming(headers, b"{}").row.position == ROW.position
        return
    with pytest.raises(Foreign):
        incoming(headers, b"{}")


@pytest.mark.parametrize("position", [b"0", b"-3", b"%d" % 2**63, b"9" * 40])
def test_a_position_that_no_log_has_is_foreign(position):
    """Nor could the log be asked for it."""
    sent = dict(outgoing(ROW, b"{}", "sealed").headers)
    headers = sent | {"ce_position": position}
    with pytest.raises(Foreign):
        incoming(headers.items(), b"{}")


def test_a_tombstone_is_foreign():
    with pytest.raises(Foreign):
        incoming(outgoing(ROW, b"{}", "sealed").headers, None)
