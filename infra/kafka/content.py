"""What goes into the topic as an event's value: as it is stored, or opened."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from infra.codec.errors import Unreadable
from infra.codec.seal import DataKey
from infra.codec.shape import Sealing
from infra.kafka.record import Content
from infra.postgres.data_keys import DataKeys
from infra.postgres.mapper import SealedEvent, StructMapper
from infra.postgres.stored_row import StoredRow


class Valued(NamedTuple):
    """A row of the log, and its value in the topic.

    ``damaged`` is one that was to be opened and cannot be, though its key is there.
    """

    row: StoredRow
    value: bytes
    content: Content
    damaged: bool = False


Values = Callable[[Sequence[StoredRow]], Awaitable[list[Valued]]]


async def as_stored(rows: Sequence[StoredRow]) -> list[Valued]:
    """Give each event the bytes it is stored as: what is personal stays sealed."""
    return [Valued(row, row.data, "sealed") for row in rows]


class Opened:
    """Gives each event its clear JSON, as far as the keys exist.

    What was erased, what is damaged and what this version does not know stays as it
    is stored, and its record says so.
    """

    def __init__(self, mapper: StructMapper, keys: DataKeys) -> None:
        self._mapper = mapper
        self._keys = keys

    async def __call__(self, rows: Sequence[StoredRow]) -> list[Valued]:
        """See ``Values``."""
        sealings = [self._sealing_of(row) for row in rows]
        numbers = {sealing.key for sealing in sealings if sealing and sealing.key}
        keys = await self._keys.for_opening(numbers) if numbers else {}
        return [
            _damaged(row)
            if sealing is None
            else self._valued(row, sealing, keys.get(sealing.key))
            for row, sealing in zip(rows, sealings, strict=True)
        ]

    def _sealing_of(self, row: StoredRow) -> Sealing | None:
        """Return what key an event needs; None where that cannot be made out."""
        try:
            return self._mapper.sealing_of(row.type, row.data)
        except Unreadable:
            return None

    def _valued(self, row: StoredRow, sealing: Sealing, key: DataKey | None) -> Valued:
        stored = SealedEvent(
            *(row.stream, row.version, row.type, row.data),
            *(row.tenant, row.id, sealing, key),
        )
        try:
            clear = self._mapper.clear_data(stored)
        except Unreadable:
            return _damaged(row)
        if clear is None:
            return Valued(row, row.data, "sealed")
        return Valued(row, clear, "clear")


def _damaged(row: StoredRow) -> Valued:
    return Valued(row, row.data, "sealed", damaged=True)
