"""The bounded line of requests before the appender, and who goes in one commit."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final

from commands.ports import Overloaded
from infra.postgres.pending import Pending

BATCH_REQUESTS: Final = 512
BATCH_BYTES: Final = 4 * 2**20

SMALL_BATCH: Final = 16
"""Requests that are not worth two commits."""

RETRY_AFTER: Final = 1.0


class Line:
    """First come, first served, within bounds of count and bytes.

    The bounds hold for all that is under way: waiting, or in a commit. ``woken`` is
    set when somebody joins.
    """

    def __init__(self, most_requests: int, most_bytes: int) -> None:
        self._most_requests = most_requests
        self._most_bytes = most_bytes
        self._requests = 0
        self._bytes = 0
        self._waiting: deque[Pending] = deque()
        self._taken = 0
        self.woken = asyncio.Event()

    def __len__(self) -> int:
        """Return how many requests are under way."""
        return self._requests

    def admit(self, pending: Pending) -> None:
        """Count a request as under way.

        Raises:
            Overloaded: there is no room; an empty line has room for any request.
        """
        if self._requests and (
            self._requests >= self._most_requests
            or self._bytes + pending.size > self._most_bytes
        ):
            raise Overloaded(RETRY_AFTER)
        self._requests += 1
        self._bytes += pending.size

    def release(self, pending: Pending) -> None:
        """Count a request as done."""
        self._requests -= 1
        self._bytes -= pending.size

    def join(self, pending: Pending) -> None:
        """Wait at the end of the line."""
        self._waiting.append(pending)
        self.woken.set()

    def rejoin(self, batch: Iterable[Pending], *, alone: bool) -> None:
        """Wait at the front again, in the same order; each by itself if ``alone``."""
        again = list(batch)
        for pending in again:
            pending.alone = alone
        self._waiting.extendleft(reversed(again))

    def take(self) -> list[Pending]:
        """Take who may share the next commit, in order; empty when nobody waits.

        Requests that add to one stream each may follow one another on it. A request
        that adds to several shares its commit with no other on any of them: it waits,
        and whoever comes after it on those streams waits behind it. Streams that are
        only expected unchanged are shared: no other is decided upon what is added.

        Of many only half are taken: while Postgres commits them, those of the commit
        before are answered and ask again, so that neither side waits for the other.
        """
        most = max(SMALL_BATCH, (self._taken + len(self._waiting) + 1) // 2)
        batch: list[Pending] = []
        behind: list[Pending] = []
        size = 0
        single: set[str] = set()
        closed: set[str] = set()
        while self._waiting and len(batch) < min(most, BATCH_REQUESTS):
            pending = self._waiting[0]
            if batch and (pending.alone or size + pending.size > BATCH_BYTES):
                break
            self._waiting.popleft()
            names, written = pending.names, pending.written
            several = len(written) > 1
            if not closed.isdisjoint(names) or (
                several and not single.isdisjoint(written)
            ):
                closed.update(names)
                behind.append(pending)
                continue
            (closed if several else single).update(written)
            single.update(pending.unmoved)
            batch.append(pending)
            size += pending.size
            if pending.alone:
                break
        self._waiting.extendleft(reversed(behind))
        self._taken = len(batch)
        return batch

    def drain(self) -> list[Pending]:
        """Take out everybody who waits."""
        everybody = list(self._waiting)
        self._waiting.clear()
        return everybody

    def withdraw_decided_upon(self, streams: set[str]) -> list[Pending]:
        """Take out who was decided upon these streams, or upon one taken out so.

        Of those only what they would have added to is broken for others in turn.
        """
        broken = set(streams)
        withdrawn: list[Pending] = []
        staying: deque[Pending] = deque()
        for pending in self._waiting:
            upon = pending.decided_upon
            if broken.isdisjoint(upon):
                staying.append(pending)
            else:
                broken.update(pending.believed)
                withdrawn.append(pending)
        self._waiting = staying
        return withdrawn
