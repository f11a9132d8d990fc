"""What waits in sessions to be reasoned about: counted, and read in its time."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Final, cast

import msgspec

from domain.recorded import Recorded
from domain.session import MessageAdded
from processors.gates import Waiting
from processors.said_since import ReadSaid

_SESSIONS: Final = 10_000
"""Sessions whose count is kept; another's is counted anew from its stream."""


class _Known(msgspec.Struct):
    """What waits behind message ``through_seq``, whose version is at least that.

    ``count`` are all messages up to ``last_seq``; ``first_asked`` is the number of
    the first that asked for reasoning, 0 if none did.
    """

    through_seq: int
    version: int
    last_seq: int
    count: int = 0
    first_asked: int = 0
    tokens: int = 0
    oldest_at: datetime | None = None

    def add(self, recorded: Recorded) -> None:
        message = _said(recorded)
        self.last_seq = message.seq
        self.count += 1
        if message.derive:
            self.tokens += message.tokens
            self.first_asked = self.first_asked or message.seq
            self.oldest_at = self.oldest_at or recorded.recorded_at


class Backlog(msgspec.Struct, frozen=True):
    """What waits in one session: all of it, and the first that asked for reasoning."""

    waiting: Waiting
    count: int
    first_asked: int


class SaidSince:
    """What was said since a session was derived last, folded from its stream.

    The fold is kept in mind, so that a message more costs no reading; what is kept is
    nothing but that, and made anew after a restart.
    """

    def __init__(self, read: ReadSaid) -> None:
        self._read = read
        self._known: OrderedDict[tuple[str, str], _Known] = OrderedDict()

    async def count(
        self,
        named: tuple[str, str],
        through_seq: int,
        said: Sequence[Recorded],
        most: int,
    ) -> Backlog:
        """Count what waits behind a message, of which ``said`` was just delivered.

        What has to be read for that is not counted far beyond ``most`` messages.
        """
        known = self._known.pop(named, None)
        new = [each for each in said if _said(each).seq > through_seq]
        if known is None or known.through_seq != through_seq:
            known = _Known(through_seq, through_seq, through_seq)
            fresh = bool(new) and _said(new[0]).seq == through_seq + 1
        else:
            fresh = not new or _said(new[0]).seq == known.last_seq + 1
        if not fresh:
            known = _Known(through_seq, known.version, through_seq)
            new = await self._since(named, known, most)
        for each in new:
            known.add(each)
        self._known[named] = known
        while len(self._known) > _SESSIONS:
            self._known.popitem(last=False)
        waiting = Waiting(known.tokens, known.oldest_at)
        return Backlog(waiting, known.count, known.first_asked)

    async def read(
        self, named: tuple[str, str], through_seq: int, most: int
    ) -> tuple[Recorded | None, list[Recorded]]:
        """Return the message ``through_seq``, if there is one, and those behind it.

        They are ``most`` at least, or all there are.
        """
        known = self._known.get(named)
        if known is None or known.through_seq != through_seq:
            known = _Known(through_seq, through_seq, through_seq)
        found = await self._since(named, known, most, before=1)
        before = [each for each in found if _said(each).seq == through_seq]
        return before[-1] if before else None, found[len(before) :]

    def handled(self, named: tuple[str, str], last: Recorded) -> None:
        """Keep in mind where a session's derivation stands now."""
        seq = _said(last).seq
        self._known[named] = _Known(seq, last.version, seq)

    async def _since(
        self, named: tuple[str, str], known: _Known, most: int, before: int = 0
    ) -> list[Recorded]:
        """Return messages behind ``through_seq``, and so many before it."""
        return await self._read(
            named,
            version=max(known.version - before, 0),
            seq=known.through_seq - before,
            most=most + before + 1,
        )


def _said(recorded: Recorded) -> MessageAdded:
    return cast("MessageAdded", recorded.event)
