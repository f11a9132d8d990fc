"""A question that was asked and answered, with what the answer rests on."""

from datetime import datetime
from typing import ClassVar

from domain.event import Engine, Event, Personal


class QuestionAnswered(Event, frozen=True, kw_only=True, tag="question-answered"):
    """A peer's memory was asked; this is what was said and what it cites.

    ``peer`` observes, ``target`` is asked about; both are ``*`` where the whole
    workspace was asked. ``conclusions`` are the ids they were derived under;
    ``as_of`` is the position up to which the views had been folded then.
    """

    sealed_for: ClassVar[tuple[str | None, str | None]] = ("session", "target")

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
