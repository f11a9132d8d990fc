"""A question that was asked and answered, with what the answer rests on."""

from datetime import datetime
from typing import ClassVar

import msgspec

from domain.event import Engine, Event, Personal


class ToolUsed(msgspec.Struct, frozen=True, kw_only=True):
    """A tool a model used on the way to an answer, in its ``iteration``-th call.

    ``conclusions``, by the ids they were derived under, and ``messages`` are what the
    tool told of. ``chars`` is how long that was and ``shown`` how much of it the model
    saw, in characters. ``error``: it was told what was wrong instead.
    """

    iteration: int
    tool: str
    conclusions: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    chars: int = 0
    shown: int = 0
    latency_ms: float = 0.0
    error: bool = False


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer was come by; ``run`` joins the calls of models it took.

    ``iterations`` counts these, ``prefetched`` what was found before the first.
    ``conclusions``, by the ids they were derived under, and ``messages`` are what it
    was given beside the question, those its cards rest on too; not the session's
    history, for the session seals the answer.
    ``ended`` is ``answered``, or what the model had to stop for: ``iterations`` or
    ``budget``. ``form`` says of an answer in a form whether it ``fits`` or was
    ``repaired``; "" where none was asked for.
    """

    run: str
    iterations: int
    ended: str
    prefetched: int = 0
    form: str = ""
    tools: tuple[ToolUsed, ...] = ()
    conclusions: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()


class QuestionAnswered(Event, frozen=True, kw_only=True, tag="question-answered"):
    """A peer's memory was asked; this is what was said and what it cites.

    ``peer`` observes, ``target`` is asked about; both are ``*`` where the whole
    workspace was asked. ``conclusions`` are the ids they were derived under;
    ``as_of`` is the position up to which the views had been folded then. Each has a
    data key to itself: an answer goes with any of the sessions its model was told of,
    whatever it says it rests on. ``inputs`` are the arguments of the tools of the
    ``trace``, in their order, as JSON; there is no trace of an answer no model gave.
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
    trace: Trace | None = None
    inputs: Personal[tuple[str, ...]] = ()

    @property
    def seal(self) -> str:
        return answer_seal(self.id)

    @property
    def told_of(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Messages and conclusions that stand in it or may: cited, given, or found."""
        told: tuple[Trace | ToolUsed, ...] = ()
        if self.trace is not None:
            told = (self.trace, *self.trace.tools)
        messages = (*self.messages, *(m for each in told for m in each.messages))
        drawn = (*self.conclusions, *(c for each in told for c in each.conclusions))
        return tuple(dict.fromkeys(messages)), tuple(dict.fromkeys(drawn))


def answer_seal(question: str) -> str:
    """Return whose data key seals a question's texts: nobody's else, for no name."""
    return f"question+{question}"
