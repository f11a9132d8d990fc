"""What one commit of the log wrote, for those who count and tell."""

from collections.abc import Callable, Sequence

import msgspec

from commands.ports import Appended, AppendRequest
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

Follows = Callable[
    [AppendRequest], tuple[AppendRequest, Callable[[Appended | None], None]]
]
"""Returns a request to append in its place, and who is told the outcome.

It may change causes only; the outcome is None where the request failed.
"""
