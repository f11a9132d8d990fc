"""What of a record is other than the relay writes it for a row of the log."""

from typing import Final

from infra.kafka.place import Record
from infra.kafka.record import DAMAGED, Content, outgoing
from infra.postgres.stored_row import StoredRow

_DIGITS: Final = 19


def changed_parts(
    row: StoredRow, value: bytes | None, content: Content, record: Record
) -> tuple[str, ...]:
    """Return what of a record is not as the relay writes it; None is not looked at.

    That it is damaged a record may only say of what is sealed.
    """
    damaged = content == "sealed" and DAMAGED in record.headers
    wanted = outgoing(row, value or b"", content, damaged=damaged)
    changed = []
    if record.key != wanted.key:
        changed.append("key")
    if value is not None and record.value != value:
        changed.append("value")
    if record.timestamp != wanted.timestamp_ms:
        changed.append("timestamp")
    headers = list(record.headers)
    if headers != wanted.headers:
        names = {name for name, _ in set(headers) ^ set(wanted.headers)}
        changed += sorted(names) or ["order of headers"]
    return tuple(changed)


def position_of(record: Record) -> int | None:
    """Return what position a record says it has, None if it says none."""
    for name, value in record.headers:
        if name == "ce_position":
            return int(value) if value.isdigit() and len(value) < _DIGITS else None
    return None


def content_of(record: Record) -> Content:
    """Return whether a record says that its value is opened."""
    return "clear" if ("ce_content", b"clear") in record.headers else "sealed"
