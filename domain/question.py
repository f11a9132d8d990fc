"""A question that was asked and answered, with what the answer rests on."""

from datetime import datetime
from typing import ClassVar

from domain.event import Engine, Event, Personal


class QuestionAnswered(Event, frozen=True, kw_only=True, tag="question-answered"):
    """A peer's memory was asked; this is what was said and what it cites.

    ``peer`` observes, ``target`` is asked about; both are ``*`` where the whole
    workspace was asked. ``conclusions`` are the ids they were derived under;
    ``as_of`` is the position up to which the views had been folded then. Each has a
    data key to itself: an answer goes with any of the sessions it quotes.
    """

    sealed_for: ClassVar[tuple[str | None, str | None]] = ("session", "seal")

    id: str
    peer: str
    target: str
    session: str | None
    question: Personal[str]
    answer: Personal[str]
    conclusions: tuple[str, ...]
    messages: tuple[str, ...]
    level: str
    as_of: int
    answered_at: datetime
    engine: Engine

    @property
    def seal(self) -> str:
        return answer_seal(self.id)


def answer_seal(question: str) -> str:
    """Return whose data key seals a question's texts: nobody's else, for no name."""
    return f"question+{question}"
