"""Records of the topic to events, opened; what is none goes to the dead letters.

What cannot be trusted to be ours as it was written is read from the log: clear content,
which erasure does not reach, and what cannot be read. What the log has no better is
handed on as that.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from domain.recorded import Recorded
from infra.codec.damaged import Damaged
from infra.codec.gone import Gone
from infra.kafka.inlet import Arrived
from infra.kafka.names import partition_of
from infra.kafka.place import Place, Record, Records
from infra.kafka.record import Foreign, Incoming, incoming
from infra.postgres.stored_row import StoredRow
from infra.unread import is_unread


class Log(Protocol):
    """Opens rows, wherever they were read, and reads some by their positions.

    What is damaged comes as ``Damaged``.
    """

    async def ids_at(self, positions: Sequence[int]) -> Mapping[int, UUID]: ...

    async def open_rows(self, rows: Sequence[StoredRow]) -> list[Recorded]: ...

    async def read_at(self, positions: Sequence[int]) -> list[Recorded]: ...


class Unread(msgspec.Struct):
    """What is at an offset, where not even a record can be read."""

    offset: int
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


class Poison(msgspec.Struct, frozen=True):
    """A record that is no event, or not as it was written, and why."""

    place: Place
    record: Record
    reason: str


def unread(place: Place, offset: int) -> Poison:
    """Return what is told of bytes at an offset or beyond that are no records."""
    return Poison(place, Unread(offset), "There are bytes here that are no records")


class Decoded(msgspec.Struct, frozen=True):
    """What a fetch brought: events by place, and records that are none."""

    arrived: Mapping[Place, Sequence[Arrived]]
    poison: Sequence[Poison]


class _Read(msgspec.Struct, frozen=True):
    place: Place
    record: Record
    found: Incoming


async def decode(records: Records, log: Log, partitions: Mapping[str, int]) -> Decoded:
    """Decode what was fetched, all of it at once; ``partitions`` of each topic."""
    read: list[_Read] = []
    poison: list[Poison] = []
    for place, those in records.items():
        for record in those:
            try:
                read.append(_read(place, record, partitions[place.topic]))
            except Foreign as error:
                poison.append(Poison(place, record, str(error)))
    known = await _known(read, log, poison)
    events = await _opened(known, log, poison)
    arrived: dict[Place, list[Arrived]] = {}
    for each in known:
        event = events[each.found.row.position]
        size = len(each.record.value or b"")
        one = Arrived(event, each.record.offset + 1, size)
        arrived.setdefault(each.place, []).append(one)
    return Decoded(arrived, poison)


def _read(place: Place, record: Record, partitions: int) -> _Read:
    found = incoming(record.headers, record.value)
    if partition_of(found.row.shard, partitions) != place.part:
        raise Foreign("Its shard belongs to another partition")
    return _Read(place, record, found)


async def _known(read: Sequence[_Read], log: Log, poison: list[Poison]) -> list[_Read]:
    """Leave out what the log does not have at its position.

    Sealing does not bind a position, and past one that is not its own nobody would
    look back for what is still to come.
    """
    ids = await log.ids_at([each.found.row.position for each in read])
    known = []
    for each in read:
        if ids.get(each.found.row.position) == each.found.row.id:
            known.append(each)
        else:
            reason = "The log has no such event at its position"
            poison.append(Poison(each.place, each.record, reason))
    return known


async def _opened(
    read: Sequence[_Read], log: Log, poison: list[Poison]
) -> dict[int, Recorded]:
    """Open what can be trusted to be ours; read the rest from the log."""
    data = {each.found.row.position: each.found.row.data for each in read}
    doubted = {
        each.found.row.position
        for each in read
        if each.found.content == "clear"
        or each.found.row.data != data[each.found.row.position]
    }
    sealed = [each for each in read if each.found.row.position not in doubted]
    copies = await log.open_rows([each.found.row for each in sealed])
    unread = {each.position for each in copies if is_unread(each)}
    events = {each.position: each for each in copies}
    if from_log := sorted(doubted | unread):
        events |= {each.position: each for each in await log.read_at(from_log)}
    for each, copy in zip(sealed, copies, strict=True):
        if is_unread(copy) and not _is_lost(events[copy.position]):
            poison.append(Poison(each.place, each.record, _why(copy)))
    return events


def _is_lost(recorded: Recorded) -> bool:
    """Tell whether the log has it no better, or not any more."""
    return is_unread(recorded) or isinstance(recorded.event, Gone)


def _why(copy: Recorded) -> str:
    """Say what is wrong with a copy of what the log can read."""
    if isinstance(copy.event, Damaged):
        return copy.event.reason
    return "The log has another type at its position"
