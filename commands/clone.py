"""Copy a session: members, settings, and what was said up to a message."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import msgspec

from commands.decide import Reason
from commands.parents import watch_named_session, watch_session
from commands.proposal import Proposal
from commands.watched import Watched
from commands.write import Birth, Write, Written
from domain.errors import NotFound
from domain.fork import SessionForked, check_source, fork_session
from domain.message import MessageMetadataChanged, copy_messages
from domain.names import public_id
from domain.recorded import Recorded
from domain.session import MessageAdded, Session
from domain.withholding import (
    MessagesRestored,
    MessagesWithheld,
    after_withholding,
)

AT_ONCE = 200
"""Most messages copied in one append."""

_CHARACTERS = 1_000_000
"""Most characters copied in one append, but for its last message."""

_PAGE = 500


class CloneSession(msgspec.Struct, frozen=True, kw_only=True):
    """Copy the session, up to and with a message if one is named (HC E22)."""

    workspace: str
    session: str
    message: str | None


class Cloned(msgspec.Struct, frozen=True):
    """The name the copy got, and what the write came to."""

    session: str
    written: Written[Session]


class _Survey(msgspec.Struct):
    """What is to be copied, found in one walk through the source's events.

    What is withheld there is not: the copy would be recalled.
    """

    through_seq: int = 0
    withheld: dict[str, str] = {}
    metadata: dict[str, dict[str, Any]] = {}


async def clone_session(write: Write, command: CloneSession, reason: Reason) -> Cloned:
    """Copy in bounded appends; nothing of it is seen before the last is written.

    Under an Idempotency-Key the copy's name follows from the key, so that a copy that
    broke off is carried on instead of begun anew.

    Raises:
        NotFound: there is no such session, or no such message in it.
    """
    source = _source(command)
    name = write.new_id()
    if reason.command is not None:
        name = public_id(reason.command.id.bytes, 0)
    fork = watch_session(command.workspace, name)
    birth = Birth(write.clock(), write.new_id)
    survey, rest = _Survey(), list[MessageAdded]()
    if await write.decide.seen(command.workspace, reason) is None:
        erased_through = await _check(write, source)
        survey = await _survey(write, source, erased_through, command.message)
        copying = _Copying(write, fork, name, birth.at)
        pages = _messages(write, source, erased_through, survey)
        rest = await copying.all_but_the_last(pages, Reason(reason.cause))
    forked = SessionForked(
        workspace=command.workspace,
        session=name,
        source=command.session,
        through_seq=survey.through_seq,
        message=command.message,
    )

    def decision(proposal: Proposal) -> None:
        proposal.record(fork, copy_messages(proposal.state(fork), rest))
        states = proposal.state(source), proposal.state(fork)
        named = (birth.uid(fork), birth.at)
        proposal.record(fork, fork_session(*states, forked, named))

    return Cloned(name, await write(fork, (source,), decision, reason))


class _Copying:
    """Appends copies to the stream of a session that is not open yet."""

    def __init__(
        self, write: Write, fork: Watched[Session], name: str, at: datetime
    ) -> None:
        self._write = write
        self._fork = fork
        self._name = name
        self._at = at
        self._last = 0

    async def all_but_the_last(
        self, messages: AsyncIterator[MessageAdded], reason: Reason
    ) -> list[MessageAdded]:
        """Append copies batch by batch; return the last batch, not appended."""
        batch: list[MessageAdded] = []
        size = 0
        async for message in messages:
            if len(batch) == AT_ONCE or size > _CHARACTERS:
                await self._append(batch, reason)
                batch, size = [], 0
            batch.append(self._copy(message))
            size += len(message.content)
        return batch

    def _copy(self, message: MessageAdded) -> MessageAdded:
        """Say it again here and now: nothing is to be derived from it (HC E22)."""
        return msgspec.structs.replace(
            message,
            session=self._name,
            id=self._write.new_id(),
            created_at=self._at,
            derive=False,
            summaries=(),
            copy_of=message.id,
            received_at=None,
        )

    async def _append(self, batch: Sequence[MessageAdded], reason: Reason) -> None:
        """Append a batch, once the views show the one before."""
        fork = self._fork
        await self._write.caught_up(self._last)
        appended = await self._write.decide(
            fork.stream.tenant,
            (fork,),
            lambda states: {fork.stream: copy_messages(states[0], batch)},
            reason,
        )
        self._last = 0 if appended is None else appended.last


def _source(command: CloneSession) -> Watched[Session]:
    try:
        return watch_named_session(command.workspace, command.session)
    except NotFound:
        raise NotFound("Original session not found") from None


async def _check(write: Write, source: Watched[Session]) -> int:
    """Return the position up to which the stream tells of an erased session."""
    state = await write.decide.look_anew(source)
    check_source(state)
    return state.erased_through


async def _survey(
    write: Write, source: Watched[Session], after: int, message: str | None
) -> _Survey:
    """Find where to end and what metadata messages have now.

    Raises:
        NotFound: the session holds no such message.
    """
    survey = _Survey()
    found = message is None
    async for recorded in _events(write, source, after):
        match recorded.event:
            case MessageAdded() as event if message is None or not found:
                survey.through_seq = event.seq
                found = found or event.id == message
            case MessageMetadataChanged() as event:
                survey.metadata[event.id] = event.metadata
            case MessagesWithheld() | MessagesRestored() as event:
                survey.withheld = after_withholding(survey.withheld, event)
            case _:
                pass
    if not found:
        raise NotFound("Session not found")
    return survey


async def _messages(
    write: Write, source: Watched[Session], after: int, survey: _Survey
) -> AsyncIterator[MessageAdded]:
    """Yield the messages to copy, in order, with the metadata they have now.

    They count from 1, whatever is left out.
    """
    number = 0
    async for recorded in _events(write, source, after):
        event = recorded.event
        if not isinstance(event, MessageAdded):
            continue
        if event.seq > survey.through_seq:
            return
        if event.id in survey.withheld:
            continue
        changed = survey.metadata.get(event.id, event.metadata)
        number += 1
        yield msgspec.structs.replace(event, metadata=changed, seq=number)


async def _events(
    write: Write, source: Watched[Session], after: int
) -> AsyncIterator[Recorded]:
    """Yield the stream's events behind a position, a page at a time."""
    version = 0
    while True:
        page = await write.store.read_stream(
            source.stream.name, after=version, limit=_PAGE
        )
        for recorded in page:
            if recorded.position > after:
                yield recorded
        if len(page) < _PAGE:
            return
        version = page[-1].version
