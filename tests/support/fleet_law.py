"""What holds of a fleet once it is quiet, whatever was done to it.

Everything accepted is in the log once and in order, everything is derived and summed
up exactly once, nobody is behind, nothing waits, views are what the log says, and the
topic holds the log.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from domain.conclusion import ConclusionDerived, ConclusionReinforced, Evidence
from domain.event import Event
from domain.session import MessageAdded
from domain.summary import SummaryProduced
from infra.master_key import read_master_key
from infra.postgres.log import LogSettings, PostgresLog
from infra.postgres.view_readers import open_view_readers
from infra.postgres.views import LIVE
from infra.standing import lags
from tests.support.fleet import MASTER_KEY, Fleet
from tests.support.law_beside import LawBeside
from tests.support.talk import Talk, author_of, number_of

STILL = 90.0
"""Seconds in which nobody comes any further: then something is stuck."""

PAGE = 2_000
_CONCLUDED = "SELECT count(*) FROM log.event WHERE type = 'conclusion-derived'"
_HELD = "SELECT processor, ordering_key, state, reason, attempts FROM work.held"
_COLLECTIONS = f"SELECT name FROM {LIVE}.vector_collection"  # noqa: S608  a constant


def until_quiet(fleet: Fleet, *, derived: int, among_frozen: bool = False) -> int:
    """Wait until so much is derived and nobody is behind; return the log's head."""
    if not among_frozen:
        fleet.until_ready()
    return asyncio.run(_until_quiet(fleet.postgres.dsn, derived))


def assert_lawful(fleet: Fleet, *talks: Talk) -> None:
    """Wait until the fleet is quiet, then hold it to everything the module says."""
    messages = sum(each.messages for each in talks)
    until_quiet(fleet, derived=messages)
    asyncio.run(_check(fleet, talks))


def no_error_nobody_foresaw(fleet: Fleet) -> None:
    """Nobody printed a traceback, and who ended by itself said why (exit code 2)."""
    for each in fleet.members:
        _, found, trace = each.said().partition("Traceback")
        assert not found, (each.name, trace[:6000])
        assert set(each.ended) <= {2}, (each.name, each.ended, each.said()[-2000:])


async def _until_quiet(dsn: str, derived: int) -> int:
    moved, before, where = time.monotonic(), -1, None
    async with open_view_readers(dsn, size=1) as views:
        while True:
            head, consumers = await lags(views)
            behind = [
                (each.name, each.lag_events, each.retrying)
                for each in consumers
                if each.lag_events or each.retrying
            ]
            concluded = await views.fetchval(_CONCLUDED)
            if head == before and not behind and concluded >= derived:
                return head
            if where != (head, behind):
                moved, where = time.monotonic(), (head, behind)
            assert time.monotonic() < moved + STILL, (head, concluded, derived, behind)
            before = head if not behind else -1
            await asyncio.sleep(0.2)


async def _check(fleet: Fleet, talks: Sequence[Talk]) -> None:
    dsn, key = fleet.postgres.dsn, read_master_key(MASTER_KEY)
    async with PostgresLog.open(dsn, key, LogSettings(announces=False)) as log:
        events = [each async for each in _events(log)]
    for talk in talks:
        assert_said_and_derived(
            [each for tenant, each in events if tenant == talk.workspace], talk
        )
    async with _connected(dsn) as db:
        assert [tuple(each) for each in await db.fetch(_HELD)] == []
        for talk in talks:
            assert await _vectors(db, talk.workspace) == 2 * talk.messages
    await LawBeside().check_at(dsn, key)


async def _events(log: PostgresLog) -> AsyncIterator[tuple[str, Event]]:
    after = 0
    while page := await log.store.read_log(after=after, limit=PAGE):
        for each in page:
            assert each.position == after + 1
            after = each.position
            yield each.tenant, each.event


def assert_said_and_derived(events: Sequence[Event], talk: Talk) -> None:
    """Hold the events of a workspace to what was said in it."""
    said: dict[str, list[MessageAdded]] = defaultdict(list)
    for each in events:
        if isinstance(each, MessageAdded):
            said[each.session].append(each)
    for session, accepted in talk.accepted.items():
        there = [(each.id, each.content) for each in said[session]]
        assert there == accepted, session
        numbers = [each.seq for each in said[session]]
        assert numbers == list(range(1, len(accepted) + 1))
    assert sum(map(len, said.values())) == talk.messages
    _assert_concluded_once(events, said, talk)
    for kind in ("short", "long"):
        for session, messages in said.items():
            due = [each.seq for each in messages if kind in each.summaries]
            _assert_summed_up(events, session, kind, due)


def _assert_concluded_once(
    events: Sequence[Event], said: dict[str, list[MessageAdded]], talk: Talk
) -> None:
    """Each message says one thing, which is concluded from it alone, once."""
    concluded = [each for each in events if isinstance(each, ConclusionDerived)]
    twice = [
        (content, count)
        for content, count in Counter(each.content for each in concluded).items()
        if count > 1
    ]
    assert twice == []
    assert not [each for each in events if isinstance(each, ConclusionReinforced)]
    found = {(each.content, each.observed, each.evidence) for each in concluded}
    expected = set()
    for messages in said.values():
        for each in messages:
            number = number_of(each.content)
            assert each.author == author_of(number)
            evidence = (Evidence(each.id, each.session, each.seq),)
            expected.add((talk.conclusion_of(number), each.author, evidence))
    assert found == expected


def _assert_summed_up(
    events: Sequence[Event], session: str, kind: str, due: Sequence[int]
) -> None:
    """One summary for each that fell due, each going on where the last one ends."""
    chain = [
        each
        for each in events
        if isinstance(each, SummaryProduced)
        and (each.session, each.kind) == (session, kind)
    ]
    assert [each.to_seq for each in chain] == list(due), (session, kind)
    assert [each.from_seq for each in chain] == [1, *(to + 1 for to in due)][: len(due)]
    parents = [None, *(each.id for each in chain)][: len(chain)]
    assert [each.parent for each in chain] == parents


async def _vectors(db: asyncpg.Connection, tenant: str) -> int:
    """Count the vectors of a workspace's messages and conclusions."""
    found = 0
    for (name,) in await db.fetch(_COLLECTIONS):
        found += await db.fetchval(
            f'SELECT count(*) FROM {LIVE}."{name}" WHERE tenant = $1',  # noqa: S608  from the catalogue
            tenant,
        )
    return found


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()
