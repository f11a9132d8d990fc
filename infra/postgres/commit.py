"""What one commit of the log wrote, for those who count and tell."""

from collections.abc import Callable, Sequence

import msgspec

from domain.recorded import Recorded


class Commit(msgspec.Struct, frozen=True):
    """Events this process wrote in one commit, for how many requests.

    ``seconds`` is what the database took; an outcome that had to be found out after
    a lost connection counts that too.
    """

    recorded: Sequence[Recorded]
    requests: int
    seconds: float


Committed = Callable[[Commit], None]
"""Is told of commits, in order, in the appender's own turn: quick, and never raises."""
