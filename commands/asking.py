"""What a chat needs of the world, and the currency it pays in (HC E12, 7.5).

Unanswered       nobody answers a question now
└── OverBudget   the workspace may spend no more on it
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from commands.response_format import AnswerForm
from domain.event import Engine
from domain.moment import NOW
from domain.question import Trace


class AskedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """``peer`` asks its memory of ``target`` (itself, often), maybe in a session.

    Both are None where the whole workspace is asked (HC 7.5). With a ``scope``, its
    memory is asked in place of the peer's. ``sessions``, unless None, are the only
    ones anything may be recalled from; ``session`` gives its history, and confines
    messages. ``level`` is the reasoning level of HC E12, ``minimal`` to ``max``; an
    answer in a ``form`` is the text of a JSON object. ``as_of`` is the position its
    memory is asked at, ``moment`` the time that was named instead of one.
    """

    workspace: str
    peer: str | None
    target: str | None
    session: str | None
    query: str
    level: str
    scope: str | None = None
    sessions: tuple[str, ...] | None = None
    form: AnswerForm | None = None
    as_of: int = NOW
    moment: datetime | None = None


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """An answer with what it rests on; empty content is no answer.

    ``conclusions`` are the ids they were derived under, ``messages`` public ids;
    ``as_of`` is the position memory was asked at; where none was asked for, the one
    up to which it had been folded. ``trace`` and ``inputs`` are as in
    ``QuestionAnswered``.
    """

    content: str
    conclusions: tuple[str, ...]
    messages: tuple[str, ...]
    as_of: int
    engine: Engine
    trace: Trace | None = None
    inputs: tuple[str, ...] = ()


class Unanswered(Exception):  # noqa: N818  says what happened
    """Nobody answers: try again after ``retry_after`` seconds, if that may help."""

    def __init__(
        self,
        retry_after: float | None,
        why: str = "The model that answers is not available",
    ) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class OverBudget(Unanswered):
    """The workspace may spend no more on models; ``str()`` says of what and until when.

    Nobody was asked; ``retry_after`` is None, for it is not to be tried again soon.
    """

    def __init__(self, told: str) -> None:
        super().__init__(None, told)


class Answerer(Protocol):
    """Answers a question from memory."""

    async def answer(self, question: AskedQuestion) -> Answered:
        """Answer in full.

        Raises:
            Unanswered
        """
        ...

    def stream(self, question: AskedQuestion) -> AsyncGenerator[str | Answered, None]:
        """Yield the content piece by piece, and last the whole answer.

        Raises:
            Unanswered
        """
        ...


class CitedConclusion(msgspec.Struct, frozen=True, kw_only=True):
    """A conclusion an answer rests on, as its evidence shows it (HC 7.5)."""

    id: str
    level: str
    content: str
    created_at: datetime
    session_id: str | None
    observer_id: str
    observed_id: str
    source_ids: tuple[str, ...]


class CitedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message an answer rests on, without what was said (HC 7.5)."""

    id: str
    session_id: str
    peer_id: str
    created_at: datetime


class CitedEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer rests on; what is gone by now is left out."""

    conclusions: tuple[CitedConclusion, ...] = ()
    messages: tuple[CitedMessage, ...] = ()


class FindEvidence(Protocol):
    """Looks up what an answer cites."""

    async def __call__(
        self,
        question: AskedQuestion,
        conclusions: Sequence[str],
        messages: Sequence[str],
    ) -> CitedEvidence:
        """Return it in the order cited; conclusions by ``Answered``'s ids."""
        ...


class Scoped(msgspec.Struct, frozen=True):
    """What an option ``scope`` comes to: another memory, or only some sessions.

    ``scope`` is the hidden peer of the one scope that was named; None where a list
    was, to whose ``sessions`` a recall is then confined.
    """

    scope: str | None = None
    sessions: tuple[str, ...] | None = None


class FindScopes(Protocol):
    """Finds what scopes hold."""

    async def __call__(
        self, workspace: str, scope: str | Sequence[str], as_of: int
    ) -> Scoped:
        """Return what one scope, or a list of them, comes to at a position (HC E12).

        Raises:
            NotFound: there is no such scope.
            Invalid: an ordinary peer occupies its name; the sessions are too many.
        """
        ...


class FindPosition(Protocol):
    """Finds the position at which memory is asked."""

    async def __call__(self, moment: int | datetime) -> int:
        """Return a position of the log; of a time, the last recorded by then.

        Raises:
            Invalid: the log has not come to the position.
            Unanswered: memory has not come to it.
        """
        ...


class Chat(msgspec.Struct, frozen=True):
    """All that a chat needs beside the log."""

    answerer: Answerer
    find_evidence: FindEvidence
    find_scopes: FindScopes
    find_position: FindPosition
