"""When a model is asked: not for a word, and not never (RS 1.4)."""

from datetime import datetime, timedelta

import msgspec


class Waiting(msgspec.Struct, frozen=True):
    """What of a session waits to be reasoned about.

    ``tokens`` are those of all messages that asked for it, whoever wrote them;
    ``oldest_at`` is when the first of them was recorded, None where none waits.
    """

    tokens: int = 0
    oldest_at: datetime | None = None


class Gates(msgspec.Struct, frozen=True):
    """What waits is derived at so many ``tokens``, or so old, or at once.

    0 tokens hold nothing back; without an ``age`` nothing is ever too old. A unit is
    a session, for one call reads it for all its peers: so their tokens count
    together, and the reference's 512 of one author come in half the time where two
    talk, for as many calls and half the tokens read.
    """

    tokens: int = 512
    age: timedelta | None = timedelta(seconds=1_800)
    flush: bool = False

    def is_open(self, waiting: Waiting, now: datetime) -> bool:
        """Tell whether what waits is to wait no longer."""
        if waiting.oldest_at is None:
            return False
        if self.flush or waiting.tokens >= self.tokens:
            return True
        return self.age is not None and now - waiting.oldest_at >= self.age
