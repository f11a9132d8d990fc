"""What belongs to the story of one message or conclusion, and what under what."""

from collections.abc import Iterable
from uuid import UUID

from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionReinstated,
    ConclusionRetracted,
)
from domain.derivation import DerivationCompleted
from domain.embedding import EmbeddingRecorded
from domain.names import (
    conclusion_stream,
    derivation_stream,
    embedding_stream,
    ordering_key_of,
    question_stream,
    summary_stream,
)
from domain.question import QuestionAnswered
from domain.recorded import Recorded
from domain.session import MessageAdded
from domain.summary import SummaryOmitted, SummaryProduced


class Story:
    """The records of one story as they are found.

    ``messages`` and ``conclusions`` are its subjects by public id; a message's story
    gathers all that is drawn from it, a conclusion's only what touches it.
    """

    def __init__(self, subject: Recorded) -> None:
        self.subject = subject
        self.records: dict[UUID, Recorded] = {subject.id: subject}
        self.messages: dict[str, Recorded] = {}
        self.conclusions: dict[str, Recorded] = {}
        self.sessions: set[str] = set()
        if isinstance(subject.event, ConclusionDerived):
            self.conclusions[subject.event.id] = subject

    @property
    def _of_message(self) -> bool:
        return isinstance(self.subject.event, MessageAdded)

    def begin_with(self, message: Recorded) -> None:
        """Take a message the story rests on."""
        if isinstance(message.event, MessageAdded):
            self.records[message.id] = message
            self.messages[message.event.id] = message
            self.sessions.add(message.event.session)

    def streams(self, peers: Iterable[str]) -> list[str]:
        """Return the streams the rest of the story is in, in the order to read them.

        ``peers`` are those whose questions may have been answered with it.
        """
        tenant = self.subject.tenant
        key = ordering_key_of(self.subject.stream)
        found = [] if self._of_message else [self.subject.stream]
        for session in sorted(self.sessions):
            found.append(conclusion_stream(tenant, session).name)
            found.append(derivation_stream(tenant, session).name)
            found += [
                summary_stream(tenant, session, kind).name for kind in ("short", "long")
            ]
            found.append(embedding_stream(tenant, f"{tenant}/{session}").name)
        found.append(embedding_stream(tenant, key).name)
        asking = {*peers, *(_author(each) for each in self.messages.values())}
        found += [question_stream(tenant, peer).name for peer in sorted(asking)]
        return list(dict.fromkeys(found))

    def consider(self, record: Recorded) -> None:
        """Take a record if it belongs to the story."""
        if not self._belongs(record):
            return
        self.records[record.id] = record
        if isinstance(record.event, ConclusionDerived):
            self.conclusions[record.event.id] = record

    def cause_of(self, record: Recorded) -> UUID | None:
        """Return the id of the story's record that led to this one, None if none did.

        The nearest thing it names is its cause: what was answered or embedded, then
        the newest message it rests on.
        """
        match record.event:
            case EmbeddingRecorded(items=items):
                named = [each.id for each in items]
            case QuestionAnswered(conclusions=drawn, messages=quoted):
                named = [*drawn, *quoted]
            case ConclusionDerived(evidence=evidence, sources=sources):
                named = [*sources, *(each.message for each in evidence)]
            case ConclusionReinforced(evidence=evidence, id=known):
                said_here = [e.message for e in evidence if e.message in self.messages]
                named = said_here or [known]
            case ConclusionRetracted(id=known) | ConclusionReinstated(id=known):
                named = [known]
            case DerivationCompleted() | SummaryProduced() | SummaryOmitted():
                named = [key for key in self.messages if self._covers(record, key)]
            case _:
                return None
        drawn_from = [self.conclusions[key] for key in named if key in self.conclusions]
        said = [self.messages[key] for key in named if key in self.messages]
        earlier = [e for e in drawn_from or said if e.position < record.position]
        if record.cause.causation_id in {each.id for each in earlier}:
            return record.cause.causation_id
        return max(earlier, key=lambda each: each.position).id if earlier else None

    def _belongs(self, record: Recorded) -> bool:
        cites = self._cites
        match record.event:
            case ConclusionDerived(evidence=evidence, sources=sources):
                drawn = self._of_message and cites(each.message for each in evidence)
                found = drawn or cites(sources)
            case ConclusionReinforced(evidence=evidence, id=known):
                drawn = self._of_message and cites(each.message for each in evidence)
                found = drawn or cites([known])
            case ConclusionRetracted(id=known) | ConclusionReinstated(id=known):
                found = cites([known])
            case DerivationCompleted(conclusions=drawn_ids):
                covers = self._covers_any(record)
                found = covers if self._of_message else cites(drawn_ids)
            case SummaryProduced() | SummaryOmitted():
                found = self._of_message and self._covers_any(record)
            case EmbeddingRecorded(items=items):
                found = cites(each.id for each in items)
            case QuestionAnswered(conclusions=drawn_ids, messages=quoted):
                found = cites(drawn_ids) or cites(quoted)
            case _:
                found = False
        return found

    def _cites(self, ids: Iterable[str]) -> bool:
        return any(each in self.messages or each in self.conclusions for each in ids)

    def _covers_any(self, record: Recorded) -> bool:
        return any(self._covers(record, key) for key in self.messages)

    def _covers(self, record: Recorded, message: str) -> bool:
        said = self.messages[message].event
        if not isinstance(said, MessageAdded):
            return False
        match record.event:
            case DerivationCompleted() as done:
                within = done.first_seq <= said.seq <= done.last_seq
                return within and done.session == said.session
            case (SummaryProduced() | SummaryOmitted()) as summed:
                within = summed.from_seq <= said.seq <= summed.to_seq
                return within and summed.session == said.session
            case _:
                return False


def _author(message: Recorded) -> str:
    return message.event.author if isinstance(message.event, MessageAdded) else ""
