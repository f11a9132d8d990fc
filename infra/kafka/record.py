"""An event as a record of the topic, and back: the wire format strangers read.

CloudEvents 1.0 in binary mode: attributes are headers, the event's stored JSON is the
value, byte for byte. Ours are extension attributes (small letters and digits only).
Proved against ``tests/golden/kafka``: a topic outlives the code that wrote it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

import msgspec

from domain.names import ordering_key_of
from infra.postgres.stored_row import StoredRow

Content = Literal["sealed", "clear"]

SPEC: Final = b"1.0"
JSON: Final = b"application/json"

DAMAGED: Final = ("ce_damaged", b"true")
"""A header of records whose event was to be opened and is damaged in the log."""


_LARGEST: Final = 2**63 - 1


class Foreign(Exception):  # noqa: N818  says what was found
    """A record that no relay of ours wrote: headers are missing or say nonsense."""


class Outgoing(msgspec.Struct, frozen=True):
    """What the relay produces for one event."""

    shard: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    timestamp_ms: int


class Incoming(msgspec.Struct, frozen=True):
    """One record as consumed; with ``content`` clear its row's data is opened."""

    row: StoredRow
    content: Content


def outgoing(
    row: StoredRow, value: bytes, content: Content, *, damaged: bool = False
) -> Outgoing:
    """Return the record of a stored event; ``value`` is its data, sealed or opened.

    The timestamp is when it was recorded, which is monotone with position: a place
    in the topic can be found by time. Where it is ``damaged`` it has a header more.
    """
    at = row.recorded_at
    return Outgoing(
        row.shard,
        ordering_key_of(row.stream).encode(),
        value,
        [
            ("content-type", JSON),
            ("ce_specversion", SPEC),
            ("ce_id", str(row.id).encode()),
            ("ce_type", row.type.encode()),
            ("ce_source", f"/palimpsest/{row.tenant}".encode()),
            ("ce_subject", row.stream.encode()),
            ("ce_time", at.astimezone(UTC).isoformat(timespec="microseconds").encode()),
            ("ce_position", b"%d" % row.position),
            ("ce_streamversion", b"%d" % row.version),
            ("ce_shard", b"%d" % row.shard),
            ("ce_tenant", row.tenant.encode()),
            ("ce_content", content.encode()),
            ("ce_meta", row.meta),
            *((DAMAGED,) if damaged else ()),
        ],
        int(at.timestamp() * 1000),
    )


def incoming(
    headers: Iterable[tuple[str, bytes | None]], value: bytes | None
) -> Incoming:
    """Read a record.

    Raises:
        Foreign: it is none of ours, or damaged beyond its value.
    """
    found = {name: content for name, content in headers if content is not None}
    try:
        content = found["ce_content"].decode()
        if value is None or content not in ("sealed", "clear"):
            raise Foreign("The record has no value, or content of no known kind")
        row = StoredRow(
            position=int(found["ce_position"]),
            recorded_at=datetime.fromisoformat(found["ce_time"].decode()),
            id=UUID(found["ce_id"].decode()),
            version=int(found["ce_streamversion"]),
            shard=int(found["ce_shard"]),
            stream=found["ce_subject"].decode(),
            tenant=found["ce_tenant"].decode(),
            type=found["ce_type"].decode(),
            meta=found["ce_meta"],
            data=value,
        )
    except (KeyError, ValueError) as error:
        raise Foreign(
            f"A header is missing or wrong: {type(error).__name__}"
        ) from error
    if not 0 < row.position <= _LARGEST:
        raise Foreign("It has a position that no log has")
    return Incoming(row, "sealed" if content == "sealed" else "clear")
