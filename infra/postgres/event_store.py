"""The log in Postgres, as commands append to it and as projections read it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from commands.moved_streams import MovedStreams
from commands.ports import Appended, AppendRequest, SeenCommand
from domain.recorded import Recorded
from infra.postgres.appender import Appender
from infra.postgres.reader import Reader
from infra.postgres.tail import Tail


class PostgresEventStore:
    """Fulfils ``commands.ports.EventStore`` and ``projections.ports.LogReader``."""

    def __init__(self, appender: Appender, reader: Reader, tail: Tail) -> None:
        self._appender = appender
        self._reader = reader
        self._tail = tail

    @property
    def elsewhere(self) -> int:
        return self._tail.elsewhere

    async def append(self, request: AppendRequest) -> Appended:
        return await self._appender.submit(request)

    def submit(self, request: AppendRequest) -> Awaitable[Appended]:
        return self._appender.submit(request)

    def on_conflict(self, forget: Callable[[str], None]) -> None:
        self._appender.outcomes.on_conflict(forget)

    async def read_stream(
        self, stream: str, *, after: int = 0, limit: int | None = None
    ) -> Sequence[Recorded]:
        return await self._reader.read_stream(stream, after=after, limit=limit)

    async def read_despite_damage(self, stream: str) -> Sequence[Recorded]:
        return await self._reader.read_stream(
            stream, after=0, limit=None, despite_damage=True
        )

    async def moved_since(self, position: int) -> MovedStreams:
        moved = await self._reader.moved_since(position)
        self._tail.advance(moved.through)
        return moved

    async def find_command(self, tenant: str, command: UUID) -> SeenCommand | None:
        return await self._reader.find_command(tenant, command)

    async def read_log(self, *, after: int, limit: int) -> Sequence[Recorded]:
        return await self._reader.read_log(after=after, limit=limit)

    async def id_at(self, position: int) -> UUID | None:
        return await self._reader.id_at(position)

    async def head(self) -> int:
        """Return the highest position; who looks at streams then knows as much.

        Views that have passed it may tell of what another process appended.
        """
        head = await self._reader.head()
        self._tail.advance(head)
        return head

    async def position_at(self, moment: datetime) -> int:
        """Return the last position recorded at or before a time, 0 if there is none."""
        return await self._reader.position_at(moment)
