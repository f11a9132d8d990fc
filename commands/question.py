"""Ask a peer's memory, and record what was answered."""

import msgspec

from commands.decide import Reason, Watched
from commands.parents import (
    found_peers,
    found_workspace,
    watch_named_session,
    watch_peers,
    watch_workspace,
)
from commands.ports import Answered, Answerer, AskedQuestion
from commands.proposal import Proposal
from commands.write import Birth, Write
from domain.errors import DomainError, NotFound
from domain.names import check_peer_name, question_stream
from domain.peer import Peer
from domain.question import QuestionAnswered
from domain.session import Session
from domain.workspace import Workspace


class Answer(msgspec.Struct, frozen=True):
    """What was answered, and the position at which that is recorded."""

    question: QuestionAnswered
    position: int


async def ask(
    write: Write, answerer: Answerer, question: AskedQuestion, reason: Reason
) -> Answer:
    """Answer from memory; the asking peer and its workspace are made on demand.

    Nothing is recorded when the target or the session does not exist. A question
    asked before under the same key is not asked again.

    Raises:
        Invalid: the workspace's or the asking peer's name could never be one.
        NotFound: there is no such target or session (HC E12).
    """
    seen = await write.decide.seen(question.workspace, reason)
    if seen is not None:
        events = tuple(each.event for each in seen.recorded)
        return Answer(_recorded(events), seen.last)
    scene = _Scene.of(question)
    birth = Birth(write.clock(), write.new_id)
    await write(scene.workspace, scene.others, scene.check, Reason(reason.cause))
    answered = await answerer.answer(question)
    event = _event(question, answered, write)
    stream = question_stream(question.workspace, question.peer)

    def decision(proposal: Proposal) -> None:
        scene.check(proposal)
        found_workspace(proposal, scene.workspace, birth)
        asking = {question.peer: scene.peers[question.peer]}
        found_peers(proposal, asking, birth)
        proposal.add(stream, event)

    written = await write(scene.workspace, scene.others, decision, reason)
    return Answer(_recorded(written.events), written.position)


class _Scene(msgspec.Struct, frozen=True):
    """What must exist, or will be made, for a question to be asked."""

    question: AskedQuestion
    workspace: Watched[Workspace]
    peers: dict[str, Watched[Peer]]
    session: Watched[Session] | None

    @classmethod
    def of(cls, question: AskedQuestion) -> "_Scene":
        workspace = watch_workspace(question.workspace)
        check_peer_name(question.peer)
        try:
            named = (question.peer, question.target)
            peers = watch_peers(question.workspace, named)
        except DomainError:
            raise _no_peer(question) from None
        session = None
        if question.session is not None:
            session = watch_named_session(question.workspace, question.session)
        return cls(question, workspace, peers, session)

    @property
    def others(self) -> tuple[Watched[Peer] | Watched[Session], ...]:
        peers = tuple(self.peers.values())
        return peers if self.session is None else (*peers, self.session)

    def check(self, proposal: Proposal) -> None:
        """Refuse a question about nobody, or in no session."""
        asked = self.question
        target = self.peers[asked.target]
        if asked.target != asked.peer and not proposal.state(target).exists:
            raise _no_peer(asked)
        if self.session is not None and not proposal.state(self.session).exists:
            raise NotFound(
                f"Session {asked.session} not found in workspace {asked.workspace}"
            )


def _no_peer(asked: AskedQuestion) -> NotFound:
    return NotFound(f"Peer {asked.target} not found in workspace {asked.workspace}")


def _event(
    question: AskedQuestion, answered: Answered, write: Write
) -> QuestionAnswered:
    return QuestionAnswered(
        workspace=question.workspace,
        id=write.new_id(),
        peer=question.peer,
        target=question.target,
        session=question.session,
        question=question.query,
        answer=answered.content,
        conclusions=answered.conclusions,
        messages=answered.messages,
        level=question.level,
        as_of=answered.as_of,
        answered_at=write.clock(),
        engine=answered.engine,
    )


def _recorded(events: tuple[object, ...]) -> QuestionAnswered:
    return next(each for each in events if isinstance(each, QuestionAnswered))
