"""Rows of the log to recorded events, opened as far as their keys exist."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

import asyncpg
import msgspec

from domain.erasure import SessionErased, WorkspaceErased
from domain.event import Event
from domain.recorded import Cause, Recorded
from infra.codec.cause import decode_cause
from infra.codec.damaged import Damaged
from infra.codec.errors import UNDECODABLE, Unreadable
from infra.codec.gone import Gone
from infra.codec.salvage import salvage_birth
from infra.codec.seal import DataKey
from infra.codec.shape import Sealing
from infra.postgres.data_keys import DataKeys
from infra.postgres.going import Going
from infra.postgres.mapper import SealedEvent, StructMapper
from infra.postgres.stored_row import StoredRow


class Opener:
    """Unseals and decodes rows, ``COLUMNS`` in their order, wherever they were read."""

    def __init__(
        self, pool: asyncpg.Pool, mapper: StructMapper, keys: DataKeys
    ) -> None:
        self._goes = Going(pool)
        self._mapper = mapper
        self._keys = keys

    async def each_of(self, rows: Sequence[Any]) -> list[Recorded]:
        """Open each of the log's own rows; what is damaged comes as ``Damaged``.

        What is damaged and of what is erased, or is just being erased, as ``Gone``; and
        what erases as what its columns tell.
        """
        opened = await self.as_stored(rows)
        settled = await self._goes.settle(opened)
        if settled is not opened:
            for each in settled:
                self._notice(each.event)
        return settled

    async def despite_damage(self, rows: Sequence[Any]) -> list[Recorded]:
        """Open each for who erases: what is damaged is passed over, but for births."""
        opened = await self.each_of(rows)
        return [
            msgspec.structs.replace(each, event=_born(each))
            if isinstance(each.event, Damaged)
            else each
            for each in opened
        ]

    async def all_of(self, rows: Sequence[Any]) -> list[Recorded]:
        """Open all of them.

        Raises:
            Unreadable: one is damaged; it tells which.
        """
        opened = await self.each_of(rows)
        for each in opened:
            _refuse(each)
        return opened

    async def first_of(self, rows: Sequence[Any]) -> list[Recorded]:
        """Open them up to the first that is damaged: at least one, if there are any.

        Raises:
            Unreadable: the very first is damaged.
        """
        return _whole(await self.each_of(rows))

    async def first_stored(self, rows: Sequence[Any]) -> list[Recorded]:
        """Do the same for copies, of which nothing is made out but what they are."""
        return _whole(await self.as_stored(rows))

    async def as_stored(self, rows: Sequence[Any]) -> list[Recorded]:
        """Open each as it is there; what is damaged comes as ``Damaged``."""
        stored = [StoredRow(*row) for row in rows]
        sealings = [self._sealing_of(row) for row in stored]
        numbers = {each.key for each in sealings if isinstance(each, Sealing)} - {0}
        keys = await self._keys.for_opening(numbers) if numbers else {}
        causes: dict[bytes, Cause] = {}
        return [
            self._opened(row, sealing, keys, causes)
            for row, sealing in zip(stored, sealings, strict=True)
        ]

    def _sealing_of(self, row: StoredRow) -> Sealing | Unreadable:
        try:
            return self._mapper.sealing_of(row.type, row.data)
        except Unreadable as error:
            return error

    def _opened(
        self,
        row: StoredRow,
        sealing: Sealing | Unreadable,
        keys: Mapping[int, DataKey | None],
        causes: dict[bytes, Cause],
    ) -> Recorded:
        try:
            if isinstance(sealing, Unreadable):
                raise sealing
            stored = SealedEvent(
                *(row.stream, row.version, row.type, row.data),
                *(row.tenant, row.id, sealing, keys.get(sealing.key)),
            )
            cause = causes.get(row.meta)
            if cause is None:
                cause = causes[row.meta] = _cause(row.meta)
            event = self._mapper.to_domain_event(stored).event
        except Unreadable as error:
            return _damaged(row, error.reason)
        self._notice(event)
        return _recorded(row, cause, event)

    def _notice(self, event: Event) -> None:
        """Have keys forgotten that whoever erased has destroyed before it said so."""
        match event:
            case SessionErased():
                self._keys.forget(event.workspace, event.session)
            case WorkspaceErased():
                self._keys.forget(event.workspace, None)
            case _:
                pass


def _recorded(row: StoredRow, cause: Cause, event: Event) -> Recorded:
    return Recorded(
        position=row.position,
        stream=row.stream,
        version=row.version,
        tenant=row.tenant,
        shard=row.shard,
        recorded_at=row.recorded_at,
        id=row.id,
        cause=cause,
        event=event,
    )


def _damaged(row: StoredRow, reason: str) -> Recorded:
    """Return what stands for an event; of why it was recorded it says nothing."""
    cause = Cause(actor="", correlation_id=row.id)
    event = Damaged(workspace=row.tenant, stored_type=row.type, reason=reason)
    return _recorded(row, cause, event)


def _cause(meta: bytes) -> Cause:
    try:
        return decode_cause(meta)
    except UNDECODABLE as error:
        raise Unreadable("A stored cause does not decode") from error


def _born(damaged: Recorded) -> Event:
    return salvage_birth(damaged) or Gone(workspace=damaged.tenant)


def _whole(opened: list[Recorded]) -> list[Recorded]:
    whole = list(takewhile(lambda it: not isinstance(it.event, Damaged), opened))
    if opened and not whole:
        _refuse(opened[0])
    return whole


def _refuse(recorded: Recorded) -> None:
    if isinstance(recorded.event, Damaged):
        event = recorded.event
        raise Unreadable(event.reason, recorded.position, event.stored_type)
