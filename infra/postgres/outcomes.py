"""What became of requests: told to those who wait, and to those decided upon them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from commands.ports import (
    Appended,
    EventStoreError,
    KeyReused,
    WrongExpectedVersion,
)
from domain.recorded import Recorded
from infra.postgres.append_call import (
    APPENDED,
    CONFLICT,
    DONE_BEFORE,
    recorded_of,
)
from infra.postgres.line import Line
from infra.postgres.pending import Pending
from infra.postgres.reader import Reader
from infra.postgres.tail import Tail


class Outcomes:
    """Settles batches, and knows which commands are under way.

    A second request with a command id that is under way waits for the first as its
    twin. A request that did not append leaves others decided upon a state that never
    came to be: whoever caches that state is told to forget it, and requests in the
    line that expect exact versions of those streams fail.
    """

    def __init__(self, line: Line, tail: Tail, reader: Reader) -> None:
        self._line = line
        self._tail = tail
        self._reader = reader
        self._under_way: dict[tuple[str, UUID], Pending] = {}
        self._forget: list[Callable[[str], None]] = []
        self._replays: set[asyncio.Task[None]] = set()

    def on_conflict(self, forget: Callable[[str], None]) -> None:
        """Register who is told the streams of requests that did not append."""
        self._forget.append(forget)

    def joins(self, pending: Pending) -> bool:
        """Tell whether a request goes into the line; if not, it waits as a twin."""
        command = pending.command
        if command is None:
            return True
        first = self._under_way.setdefault(command, pending)
        if first is not pending:
            first.twins = [*first.twins, pending]
        return first is pending

    def settle(
        self, batch: Sequence[Pending], rows: Sequence[Any]
    ) -> Sequence[Recorded]:
        """Deliver a batch's verdicts; ``rows`` as ``append_call.SQL`` returns them.

        What was written is returned, in order.
        """
        news: list[Recorded] = []
        delivered: list[tuple[Pending, Appended]] = []
        refused: list[tuple[Pending, Any]] = []
        start = size = 0
        for pending in batch:
            mine = rows[start : start + len(pending.names)]
            start += len(pending.names)
            if mine[0][0] != APPENDED:
                refused.append((pending, mine[0]))
                continue
            recorded = recorded_of(pending, mine)
            news += recorded
            size += pending.size
            last = recorded[-1].position
            appended = Appended(recorded[0].position, last, tuple(recorded))
            delivered.append((pending, appended))
        if news:
            self._tail.publish(news, size)
        for pending, appended in delivered:
            self._deliver(pending, appended)
        for pending, row in refused:
            self._refuse(pending, row)
        return news

    def fail(self, pending: Pending, error: Exception) -> None:
        """Deliver a failure, and fail whoever was decided upon success."""
        self._break(pending)
        self._deliver_failure(pending, error)

    async def finish(self) -> None:
        """Wait for answers that are still being read back."""
        while self._replays:
            await asyncio.wait(self._replays)

    def _refuse(self, pending: Pending, row: Any) -> None:
        status, found, first, last, _ = row
        if status == CONFLICT:
            text = f"{pending.names[0]} is not as expected (found {found})"
            self._tell(pending.decided_upon)
            self.fail(pending, WrongExpectedVersion(text))
        elif status == DONE_BEFORE:
            self._break(pending)
            task = asyncio.create_task(self._replay(pending, first, last))
            self._replays.add(task)
            task.add_done_callback(self._replays.discard)
        else:
            self.fail(pending, KeyReused("The key is known with another request"))

    async def _replay(self, pending: Pending, first: int, last: int) -> None:
        try:
            recorded = tuple(await self._reader.read_between(first, last))
        except Exception as error:  # noqa: BLE001  whoever waits must hear of it
            failure = EventStoreError("The first answer could not be read back")
            failure.__cause__ = error
            self.fail(pending, failure)
        else:
            self._deliver(pending, Appended(first, last, recorded, replayed=True))

    def _deliver(self, pending: Pending, appended: Appended) -> None:
        self._leave(pending)
        pending.resolve(appended)
        for twin in pending.twins:
            self._line.release(twin)
            if _hash_of(twin) == _hash_of(pending):
                twin.resolve(msgspec.structs.replace(appended, replayed=True))
            else:
                twin.fail(KeyReused("The key is under way with another request"))
            self._break(twin)

    def _deliver_failure(self, pending: Pending, error: Exception) -> None:
        self._leave(pending)
        pending.fail(error)
        for twin in pending.twins:
            # Decided upon the first one's state; without a version it may try itself.
            if twin.decided_upon:
                self.fail(twin, WrongExpectedVersion("Its first attempt failed"))
            elif self.joins(twin):
                self._line.join(twin)

    def _leave(self, pending: Pending) -> None:
        self._line.release(pending)
        command = pending.command
        if command is not None and self._under_way.get(command) is pending:
            del self._under_way[command]

    def _break(self, pending: Pending) -> None:
        """Tell that its streams are not as believed; fail those who believed it."""
        streams = set(pending.believed)
        if not streams:
            return
        withdrawn = self._line.withdraw_decided_upon(streams)
        streams.update(*(other.believed for other in withdrawn))
        self._tell(streams)
        for other in withdrawn:
            text = f"{other.names[0]} was decided upon an append that failed"
            self._deliver_failure(other, WrongExpectedVersion(text))

    def _tell(self, streams: Iterable[str]) -> None:
        for stream in streams:
            for forget in self._forget:
                forget(stream)


def _hash_of(pending: Pending) -> bytes | None:
    command = pending.request.command
    return None if command is None else command.request_hash
