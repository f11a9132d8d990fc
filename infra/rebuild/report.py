"""What a rebuild says while it runs, and at its end."""

import msgspec

from infra.fold_failure import Failure


class Progress(msgspec.Struct, frozen=True):
    """How far a stage of a rebuild is: positions, and seconds since it began.

    ``begun`` is the position the stage began at, more than 0 where a rebuild that was
    broken off goes on.
    """

    stage: str
    position: int
    head: int
    seconds: float
    begun: int = 0

    @property
    def rate(self) -> float | None:
        """Positions a second since the stage began; None at its beginning."""
        gone = self.position - self.begun
        return gone / self.seconds if gone > 0 and self.seconds > 0 else None

    @property
    def remaining(self) -> float | None:
        """Seconds to go at the present pace; exact, for positions are dense."""
        if self.position >= self.head:
            return 0.0
        return None if self.rate is None else (self.head - self.position) / self.rate


class Difference(msgspec.Struct, frozen=True):
    """A table whose live rows were not as the log says, and what showed it."""

    table: str
    found: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a rebuild did.

    ``events`` is the position all of it is folded from, ``resumed`` how many of them
    an earlier run had folded. ``seconds`` is all of it; ``held_ms`` how long writes
    waited at the end, ``swap_ms`` how long reads did. ``projections`` are those
    rebuilt, ``added`` those of them nobody asked for but the others need;
    ``differences`` tables that were not as the log says.
    """

    events: int
    resumed: int
    seconds: float
    held_ms: float
    swap_ms: float
    attempts: int
    projections: tuple[str, ...]
    added: tuple[str, ...]
    stages: dict[str, float]
    differences: tuple[Difference, ...]


class RebuildFailed(Exception):  # noqa: N818  says what happened
    """Events that cannot be folded; the live views are as they were."""

    def __init__(self, failures: tuple[Failure, ...]) -> None:
        first = failures[0]
        more = f", and {len(failures) - 1} more" if len(failures) > 1 else ""
        super().__init__(
            f"{first.projection} cannot fold {first.type} at position "
            f"{first.position}: {first.error}{more}; the live views are as they were"
        )
        self.failures = failures


class RebuildUnderWay(Exception):  # noqa: N818  says what was found
    """Another rebuild works on the same views."""


class ViewsDrifted(Exception):  # noqa: N818  says what was found
    """Views were folded by other code than this one's, and may not be now."""
