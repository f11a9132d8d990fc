"""What answering needs of memory, and the currency it is paid in (RS 7.3)."""

from datetime import datetime
from typing import Literal, Protocol

import msgspec

from commands.asking import AskedQuestion
from processors.reasoner import Said


class Recollection(msgspec.Struct, frozen=True, kw_only=True):
    """Something memory holds that may answer a question.

    ``peer`` is the observed peer of a conclusion, the author of a message; ``level``
    is a conclusion's. ``similarity`` is the cosine to the question, 0 if only its
    words were found; ``evidence`` are the messages a conclusion rests on. Ids are
    those of the events. ``session`` and ``number`` say where a message stands.
    """

    kind: Literal["conclusion", "message"]
    id: str
    text: str
    at: datetime
    peer: str
    similarity: float
    level: str = "explicit"
    evidence: tuple[str, ...] = ()
    session: str | None = None
    number: int = 0


class Recalled(msgspec.Struct, frozen=True):
    """What was found, best first, and the position memory had been folded to."""

    found: tuple[Recollection, ...]
    as_of: int


class MemorySearch(Protocol):
    """Searches what one peer may know: what it holds of the target, what it heard."""

    async def recall(self, question: AskedQuestion, limit: int) -> Recalled:
        """Return explicit conclusions, others and messages, ``limit`` of each."""
        ...


class Background(msgspec.Struct, frozen=True, kw_only=True):
    """What is told beside a question, whatever it is (RS 7.3).

    ``card`` is the asking peer's own, ``target_card`` what it keeps of another, and
    ``rests_on`` the conclusions both rest on, by the ids they were derived under;
    ``history`` are the newest messages of the session the question names. ``then`` is
    the time a question of the past is asked at; None is now.
    """

    card: tuple[str, ...] = ()
    target_card: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()
    history: tuple[Said, ...] = ()
    then: datetime | None = None


class GatherBackground(Protocol):
    """Gathers the background of a question."""

    async def __call__(self, question: AskedQuestion) -> Background:
        """Return cards, where configuration lets them be used, and history."""
        ...
