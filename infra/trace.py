"""Follows one message or conclusion through the log: every record, and its cause."""

from collections.abc import AsyncIterator, Sequence
from typing import Final, Protocol
from uuid import UUID

import msgspec

from domain.conclusion import ConclusionDerived, ConclusionReinforced, Evidence
from domain.names import session_stream
from domain.recorded import Recorded
from domain.session import MessageAdded
from infra.story import Story
from projections.ports import Connection, Database

_REQUEST: Final = 500
"""More events than one request appends."""

_PAGE: Final = 1_000

# Another observer's row of a conclusion leads to the conclusion itself.
_PLACE: Final = """
SELECT position FROM message WHERE id = $1
UNION ALL
SELECT first.from_position FROM conclusion AS row
JOIN conclusion AS first ON first.tenant = row.tenant AND first.id = row.origin
WHERE row.id = $1
ORDER BY position LIMIT 1
"""

_MEMBERS: Final = """
SELECT DISTINCT peer FROM member WHERE tenant = $1 AND session = ANY ($2)
"""


class Log(Protocol):
    """Reads the log by position and by stream."""

    async def read_log(self, *, after: int, limit: int) -> Sequence[Recorded]: ...

    async def read_stream(
        self, stream: str, *, after: int = 0, limit: int | None = None
    ) -> Sequence[Recorded]: ...


class Traced(msgspec.Struct, frozen=True):
    """One record of a story; ``under`` is the id of the record that caused it.

    None stands for what was asked from outside: the request itself.
    """

    record: Recorded
    under: UUID | None


async def trace(views: Database, log: Log, public_id: str) -> list[Traced]:
    """Return the story of a message or conclusion in log order; empty if unknown.

    A message's story is what its request recorded, what was drawn from it, summed
    up with it, embedded for it, and answered with it. A conclusion's begins with
    the messages it rests on.
    """
    async with views.acquire() as db:
        position = await db.fetchval(_PLACE, public_id)
        if position is None:
            return []
        [subject] = await log.read_log(after=position - 1, limit=1)
        story = await _beginning(log, subject)
        peers = await _members(db, story)
    for stream in story.streams(peers):
        async for record in _pages(log, stream):
            story.consider(record)
    records = sorted(story.records.values(), key=lambda each: each.position)
    return [Traced(each, story.cause_of(each)) for each in records]


async def _beginning(log: Log, subject: Recorded) -> Story:
    """Return the story as far as the requests that said what the subject rests on."""
    story = Story(subject)
    for evidence in await _evidence(log, subject):
        stream = session_stream(subject.tenant, evidence.session).name
        # A message's version in its stream is never below its number.
        async for record in _pages(log, stream, after=evidence.seq - 1):
            if isinstance(record.event, MessageAdded) and (
                record.event.id == evidence.message
            ):
                story.begin_with(record)
                break
    for message in list(story.messages.values()):
        for record in await _same_request(log, message):
            story.records[record.id] = record
    return story


async def _evidence(log: Log, subject: Recorded) -> Sequence[Evidence]:
    """Return the messages a subject rests on; a message rests on itself."""
    event = subject.event
    if isinstance(event, MessageAdded):
        return [Evidence(event.id, event.session, event.seq)]
    if not isinstance(event, ConclusionDerived):
        return ()
    found = list(event.evidence)
    async for record in _pages(log, subject.stream, after=subject.version):
        again = record.event
        if isinstance(again, ConclusionReinforced) and again.id == event.id:
            found += again.evidence
    return list(dict.fromkeys(found))


async def _same_request(log: Log, message: Recorded) -> list[Recorded]:
    """Return what the request that said a message recorded besides messages."""
    start = max(0, message.position - _REQUEST)
    around = await log.read_log(after=start, limit=2 * _REQUEST)
    return [
        each
        for each in around
        if each.cause == message.cause and not isinstance(each.event, MessageAdded)
    ]


async def _members(db: Connection, story: Story) -> set[str]:
    rows = await db.fetch(_MEMBERS, story.subject.tenant, sorted(story.sessions))
    return {row["peer"] for row in rows}


async def _pages(log: Log, stream: str, *, after: int = 0) -> AsyncIterator[Recorded]:
    while True:
        page = await log.read_stream(stream, after=after, limit=_PAGE)
        for record in page:
            yield record
        if len(page) < _PAGE:
            return
        after = page[-1].version
