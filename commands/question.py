"""Ask a peer's memory, or a workspace's, and record what was answered."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from commands.asking import Answered, Answerer, AskedQuestion
from commands.decide import Reason
from commands.parents import (
    found_peers,
    found_workspace,
    watch_named_peer,
    watch_named_session,
    watch_peer,
    watch_reserved,
    watch_workspace,
)
from commands.proposal import Proposal
from commands.watched import Watched
from commands.write import Birth, Write
from domain.errors import NotFound
from domain.event import EVERYONE
from domain.names import question_stream
from domain.observed import NO_CHAT, refuse_unobservable
from domain.peer import Peer
from domain.question import QuestionAnswered
from domain.session import Session, check_active
from domain.workspace import Workspace


class Answer(msgspec.Struct, frozen=True):
    """What was answered, and the position at which that is recorded."""

    question: QuestionAnswered
    position: int


class Opened(msgspec.Struct, frozen=True):
    """A question that may be asked; ``before`` if it was, under the same key.

    ``position`` is where the asking peer and its workspace are readable.
    """

    question: AskedQuestion
    reason: Reason
    position: int
    before: Answer | None = None


async def refuse_scopes(
    write: Write, workspace: str, peers: tuple[str | None, ...]
) -> None:
    """Refuse to ask a scope, or about one (HC 2.6).

    Raises:
        Invalid: one of the peers is a scope, or may become one.
    """
    named = [each for each in peers if each is not None]
    for peer, watched in watch_reserved(workspace, named).items():
        refuse_unobservable(await write.decide.look_anew(watched), peer, NO_CHAT)


async def open_question(
    write: Write, question: AskedQuestion, reason: Reason
) -> Opened:
    """Make the asking peer and its workspace on demand, and check whom it is about.

    Nothing is recorded when the target or the session does not exist.

    Raises:
        Invalid: the workspace's or the asking peer's name could never be one.
        NotFound: there is no such target or session (HC E12).
    """
    seen = await write.decide.seen(question.workspace, reason)
    if seen is not None:
        events = tuple(each.event for each in seen.recorded)
        return Opened(question, reason, seen.last, Answer(_recorded(events), seen.last))
    scene = _Scene.of(question)
    birth = Birth(write.clock(), write.new_id)
    written = await write(
        scene.workspace,
        scene.others,
        lambda proposal: scene.check(proposal, birth),
        Reason(reason.cause),
    )
    return Opened(question, reason, written.position)


async def ask(write: Write, answerer: Answerer, opened: Opened) -> Answer:
    """Answer from memory and record it; what was asked before is not asked again.

    Raises:
        NotFound: target or session went away meanwhile.
        Unanswered
    """
    if opened.before is not None:
        return opened.before
    return await _record(write, opened, await answerer.answer(opened.question))


async def tell(
    write: Write, answerer: Answerer, opened: Opened
) -> AsyncGenerator[str | Answer, None]:
    """Answer piece by piece, and yield last the whole, once it is recorded.

    Raises:
        NotFound, Unanswered: as ``ask``, at whatever piece.
    """
    if opened.before is not None:
        yield opened.before.question.answer
        yield opened.before
        return
    answered = None
    async with aclosing(answerer.stream(opened.question)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Answered):
                answered = piece
            else:
                yield piece
    if answered is not None:
        yield await _record(write, opened, answered)


async def _record(write: Write, opened: Opened, answered: Answered) -> Answer:
    question = opened.question
    scene = _Scene.of(question)
    birth = Birth(write.clock(), write.new_id)
    event = _event(question, answered, write)
    stream = question_stream(event.workspace, event.peer)

    def decision(proposal: Proposal) -> None:
        scene.check(proposal, birth)
        proposal.add(stream, event)

    written = await write(scene.workspace, scene.others, decision, opened.reason)
    return Answer(_recorded(written.events), written.position)


class _Scene(msgspec.Struct, frozen=True):
    """What must exist, or will be made, for a question to be asked."""

    question: AskedQuestion
    workspace: Watched[Workspace]
    asking: Watched[Peer] | None
    target: Watched[Peer] | None
    session: Watched[Session] | None

    @classmethod
    def of(cls, question: AskedQuestion) -> "_Scene":
        named = question.workspace
        workspace = watch_workspace(named)
        asking = target = session = None
        if question.peer is not None:
            asking = watch_peer(named, question.peer)
        if question.target not in {None, question.peer}:
            target = watch_named_peer(named, str(question.target))
        if question.session is not None:
            session = watch_named_session(named, question.session)
        return cls(question, workspace, asking, target, session)

    @property
    def others(self) -> tuple[Watched[Peer] | Watched[Session], ...]:
        return tuple(
            each
            for each in (self.asking, self.target, self.session)
            if each is not None
        )

    def check(self, proposal: Proposal, birth: Birth) -> None:
        """Make who asks; refuse a question about nobody, or in no session."""
        asked = self.question
        found_workspace(proposal, self.workspace, birth)
        if self.asking is not None and asked.peer is not None:
            found_peers(proposal, {asked.peer: self.asking}, birth)
        if self.target is not None and not proposal.state(self.target).exists:
            raise NotFound(
                f"Peer {asked.target} not found in workspace {asked.workspace}"
            )
        if self.session is not None and asked.session is not None:
            named = (asked.workspace, asked.session)
            check_active(proposal.state(self.session), named)


def _event(
    question: AskedQuestion, answered: Answered, write: Write
) -> QuestionAnswered:
    return QuestionAnswered(
        workspace=question.workspace,
        id=write.new_id(),
        peer=EVERYONE if question.peer is None else question.peer,
        target=EVERYONE if question.target is None else question.target,
        session=question.session,
        question=question.query,
        answer=answered.content,
        conclusions=answered.conclusions,
        messages=answered.messages,
        level=question.level,
        as_of=answered.as_of,
        answered_at=write.clock(),
        engine=answered.engine,
        trace=answered.trace,
        inputs=answered.inputs,
    )


def _recorded(events: tuple[object, ...]) -> QuestionAnswered:
    return next(each for each in events if isinstance(each, QuestionAnswered))
