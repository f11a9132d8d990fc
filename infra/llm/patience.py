"""How often a model is asked, and how long it is waited for."""

from msgspec import Struct
from msgspec.structs import replace


class Patience(Struct, frozen=True, kw_only=True):
    """Bounds of asking one model (RS 8.2); all but the counts are in seconds.

    ``attempts`` is how often one request is sent at most, after ``before`` went to
    another model; between two of them it waits ``shortest`` to ``longest``.
    ``connect`` bounds a connection, ``first`` the first piece of a stream, ``silence``
    what is between two pieces, ``whole`` one request from its start to its end.
    """

    attempts: int = 3
    before: int = 0
    shortest: float = 4.0
    longest: float = 10.0
    connect: float = 10.0
    first: float = 120.0
    silence: float = 120.0
    whole: float = 600.0

    def with_backup(self) -> "Patience":
        """Return that of a model whose backup makes the second attempt (RS 14.14)."""
        return replace(self, attempts=1)

    def as_backup(self) -> "Patience":
        """Return that of a model which makes all attempts but the first."""
        return replace(self, attempts=max(1, self.attempts - 1), before=1)

    def within(self, whole: float | None) -> "Patience":
        """Return it for an endpoint that bounds a request by itself."""
        if whole is None:
            return self
        return replace(
            self,
            whole=whole,
            first=min(self.first, whole),
            silence=min(self.silence, whole),
        )
