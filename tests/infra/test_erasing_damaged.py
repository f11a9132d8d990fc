"""The right to be erased stands before readability: what is damaged is erased, too."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

import pytest

from commands.decide import Decide, Reason
from commands.deletion import (
    DeleteSession,
    DeleteWorkspace,
    delete_session,
    delete_workspace,
)
from commands.write import Write
from domain.conclusion import ConclusionDerived, ConclusionRetracted
from domain.embedding import EmbeddingRecorded
from domain.erasure import SessionErased, SessionErasureBegun, WorkspaceErased
from domain.errors import NotFound
from domain.event import ERASED
from domain.names import embedding_stream, session_stream, workspace_stream
from domain.question import QuestionAnswered
from domain.recorded import Cause
from domain.session import MessageAdded, SessionCreated
from domain.workspace import WorkspaceCreated
from infra.holdings import StoredHoldings
from infra.postgres.view_readers import open_view_readers
from processors.erase_session import EraseSession
from processors.erase_workspace import EraseWorkspace
from processors.living import Living
from tests.infra.test_erasure import Eraser
from tests.support.damage import break_at, broken_seal, cut_off
from tests.support.feeding import Scripted
from tests.support.kafka_feeding import either_feeding as feeding
from tests.support.projecting import projecting
from tests.support.reactions import SAID_AT
from tests.support.taking import Words

__all__ = ["feeding"]

WITHIN = 60.0


class Damaged:
    """Session s with views that stop in it, t beside it, and what rests on both."""

    def __init__(self, memory, feeding, dsn):
        self.memory, self.feeding, self.dsn = memory, feeding, dsn
        self.made = Eraser(memory, None, None, dsn)
        self.now = SAID_AT + timedelta(days=400)

    async def open(self):
        opened = SessionCreated(workspace="w", session="s", uid="u", created_at=SAID_AT)
        await self.made.append(session_stream("w", "s"), opened)

    async def begin(self):
        await self.open()
        await self.memory.join("alice")
        said = await self.memory.say("I ski.", "I row.")
        first, second = [each.event for each in said]
        [kept] = [each.event for each in await self.memory.say("I sing.", session="t")]
        await self.made.conclude("own", "s", [first])
        await self.made.conclude("bereft", None, [second])
        await self.made.conclude("both", None, [second, kept])
        await self.made.conclude("upon", None, sources=["own"])
        await self.made.conclude("half", None, sources=["own", "both"])
        await self.made.answer("quoting", messages=(first.id, second.id))
        await self.made.answer("other", messages=(kept.id,))
        self.recorded = await self.memory.recorded()

    async def breaks(self, kind, change, nth=0):
        """Damage an event of session s."""
        of_s = [
            each.position
            for each in self.recorded
            if isinstance(each.event, kind) and each.stream.endswith("-w+s")
        ]
        return await break_at(self.dsn, of_s[nth], change)

    async def show(self, running):
        """Fold views, and decide, as a process that begins now."""
        self.memory.decide = Decide(self.memory.log.store)
        self.views, self.lagging = await running.enter_async_context(
            projecting(self.memory.log, self.dsn)
        )
        self.readers = await running.enter_async_context(open_view_readers(self.dsn))
        self.write = Write(
            self.memory.decide,
            store=self.memory.log.store,
            views=self.views,
            clock=lambda: SAID_AT,
            new_id=lambda: uuid4().hex[:21],
            tokens=Words(),
        )
        stores = StoredHoldings(self.memory.log, self.readers, self.views, self.dsn)
        eraser = EraseSession(self.memory.decide, stores, lambda: self.now)
        self.feed = await self.feeding.feed(eraser)

    async def delete(self):
        command = DeleteSession(workspace="w", session="s", grace=timedelta())
        cause = Cause(actor="client", correlation_id=uuid4())
        return await delete_session(self.write, command, Reason(cause))

    async def until_erased(self):
        await self.until_done()
        assert await self.views.wait_for(await self.memory.log.store.head(), WITHIN)

    async def until_done(self):
        """Let what erases work until nothing of it waits for anything."""
        async with asyncio.timeout(WITHIN):
            await self.feeding.until_idle(self.feed)
            while waiting := await self.feeding.parking.list():
                assert {each.state for each in waiting} == {"retry"}, waiting
                await asyncio.sleep(0.05)
                await self.feeding.until_idle(self.feed)

    async def is_erased(self):
        return await self.feeding.pool.fetchval(
            "SELECT EXISTS (SELECT FROM log.event WHERE type = 'session-erased')"
        )

    async def shown(self, column, table):
        rows = await self.readers.fetch(f"SELECT DISTINCT {column} FROM {table}")  # noqa: S608  ours
        return {row[column] for row in rows}


@pytest.fixture
async def damaged(memory, feeding, database):
    made = Damaged(memory, feeding, database.dsn())
    await made.begin()
    return made


def no_cause(data):
    return b"!" + data


@pytest.mark.parametrize("how", [broken_seal, cut_off])
@pytest.mark.parametrize("kind", [SessionCreated, MessageAdded, "own", "both"])
async def test_a_damaged_session_is_deleted_and_erased(damaged, kind, how):
    """Also with two damaged in one stream, and with what was concluded damaged."""
    async with AsyncExitStack() as running:
        if kind == "both":
            await damaged.breaks(MessageAdded, cut_off, 0)
            await damaged.breaks(MessageAdded, how, 1)
        elif kind == "own":
            await damaged.breaks(ConclusionDerived, how)
        else:
            await damaged.breaks(kind, how)
        await damaged.show(running)
        await damaged.delete()
        with pytest.raises(NotFound):
            await damaged.delete()
        await damaged.until_erased()
        assert await damaged.memory.events(SessionErased) != []
        gone = {e.id for e in await damaged.memory.events(ConclusionRetracted)}
        assert gone == {"bereft", "upon"}
        assert await damaged.shown("session", "message") == {"t"}
        assert await damaged.shown("id", "conclusion") == {"both", "half"}
        said = await damaged.memory.events(MessageAdded)
        assert {each.content for each in said} <= {"I sing.", ERASED}
        # Its name is free, and is read again.
        await damaged.open()
        await damaged.memory.say("I am new.")
        await damaged.delete()
        await damaged.until_erased()
        assert len(await damaged.memory.events(SessionErased)) == 2


async def test_what_is_damaged_elsewhere_keeps_no_session_from_being_erased(
    damaged, caplog
):
    """Views stand still there: what rests on the session is found all the same."""
    async with AsyncExitStack() as running:
        [other] = await damaged.memory.say("I swim.", session="u")
        mend = await break_at(damaged.dsn, other.position, cut_off)
        [late] = await damaged.memory.say("I dive.")
        await damaged.made.conclude("late", None, [late.event])
        await damaged.show(running)
        await damaged.delete()
        await damaged.until_done()
        assert str(other.position) in caplog.text
        assert damaged.views.position == other.position - 1
        await mend()
        assert len(await damaged.memory.events(SessionErased)) == 1
        gone = {e.id for e in await damaged.memory.events(ConclusionRetracted)}
        assert gone == {"bereft", "upon", "late"}
        await damaged.views.passed(await damaged.memory.log.store.head())
        assert await damaged.shown("session", "message") == {"t", "u"}


async def test_what_a_damaged_deletion_asks_for_is_done_when_it_can_be_due(damaged):
    """Its columns say that it was asked for; the longest grace counts from then."""
    async with AsyncExitStack() as running:
        [deleted] = await damaged.made.delete()
        begun = deleted.recorded_at
        await break_at(damaged.dsn, deleted.position, cut_off)
        await damaged.show(running)
        damaged.now = begun + timedelta(hours=23)
        await damaged.feeding.until_idle(damaged.feed)
        assert await damaged.memory.events(SessionErased) == []
        damaged.now = begun + timedelta(hours=25)
        await damaged.feeding.pool.execute("UPDATE work.held SET due_at = now()")
        await damaged.until_erased()
        [erased] = await damaged.memory.recorded(SessionErased)
        begun = await damaged.memory.recorded(SessionErasureBegun)
        for each in (erased, *begun):
            await break_at(damaged.dsn, each.position, cut_off)
        # Whoever reads the log again comes to the same, and the name stays free.
        damaged.memory.decide = Decide(damaged.memory.log.store)
        await damaged.open()
        await damaged.memory.say("I am new.")


def other_shape(_data):
    return b'{"items": 1, "trace": {"tools": 1}}'


def no_text(_data):
    """JSON, but none that the database takes."""
    return rb'{"id": "\u0000"}'


@pytest.mark.parametrize("how", [cut_off, other_shape, no_text])
@pytest.mark.parametrize("kind", [QuestionAnswered, EmbeddingRecorded])
async def test_records_that_are_damaged_keep_no_session_from_being_erased(
    damaged, kind, how, caplog
):
    """Of answers and of vectors, elsewhere in the workspace: which, is told."""
    async with AsyncExitStack() as running:
        await damaged.memory.log.embeddings.put_many("w", "m", {"f": b"12345678"})
        recorded = EmbeddingRecorded(
            workspace="w", session="t", model="m", dimensions=2, items=()
        )
        [vectors] = await damaged.made.append(embedding_stream("w", "w/t"), recorded)
        of_type = {
            EmbeddingRecorded: vectors,
            QuestionAnswered: next(
                each
                for each in damaged.recorded
                if isinstance(each.event, QuestionAnswered) and each.event.id == "other"
            ),
        }
        mend = await break_at(damaged.dsn, of_type[kind].position, how)
        await damaged.show(running)
        await damaged.delete()
        async with asyncio.timeout(WITHIN):
            while not await damaged.is_erased():
                await damaged.feeding.until_idle(damaged.feed)
                await asyncio.sleep(0.05)
        assert f"at {of_type[kind].position} tell" in caplog.text
        await mend()
        given = await damaged.memory.events(QuestionAnswered)
        answers = {each.id: each.answer for each in given}
        assert answers == {"quoting": ERASED, "other": "other!"}


@pytest.mark.parametrize("then", ["nothing", "retry", "skip"])
async def test_what_was_parked_at_damage_comes_free_with_the_erasure(damaged, then):
    """Whatever an operator says of it before; the next of its name is handed on."""
    async with AsyncExitStack() as running:
        await damaged.breaks(MessageAdded, cut_off)
        await damaged.show(running)
        scripted = Scripted()
        feed = await damaged.feeding.feed(Living(scripted, damaged.memory.decide))
        await damaged.feeding.until_idle(feed)
        [parked] = await damaged.feeding.parking.list(parked_only=True)
        assert (parked.processor, parked.ordering_key) == ("scripted", "w/s")
        if then != "nothing":
            assert await getattr(damaged.feeding.parking, then)("scripted", "w/s")
        await damaged.delete()
        async with asyncio.timeout(WITHIN):
            while not await damaged.is_erased():
                await damaged.feeding.until_idle(damaged.feed)
                await asyncio.sleep(0.05)
        await damaged.feeding.until_idle(feed)
        assert await damaged.feeding.parking.list(parked_only=True) == []
        await damaged.open()
        await damaged.memory.say("I am new.")
        await damaged.feeding.until_idle(feed)
        assert scripted.texts("w/s") == ["I am new."]
        await damaged.until_erased()


class NoneActive:
    async def any(self, _workspace):
        return False


async def test_a_workspace_whose_own_events_are_damaged_is_erased(damaged):
    """And all of its views, which stood still before the damage."""
    async with AsyncExitStack() as running:
        made = WorkspaceCreated(workspace="w", uid="u", created_at=SAID_AT)
        [created] = await damaged.made.append(workspace_stream("w"), made)
        await damaged.memory.say("I swim.", session="u")
        await break_at(damaged.dsn, created.position, cut_off)
        await damaged.show(running)
        command = DeleteWorkspace(workspace="w", grace=timedelta())
        reason = Reason(Cause(actor="client", correlation_id=uuid4()))
        await delete_workspace(damaged.write, NoneActive(), command, reason)
        stores = (damaged.memory.log, damaged.readers, damaged.views, damaged.dsn)
        eraser = EraseWorkspace(
            damaged.memory.decide, StoredHoldings(*stores), lambda: damaged.now
        )
        feed = await damaged.feeding.feed(eraser)
        await damaged.feeding.until_idle(feed)
        assert await damaged.feeding.parking.list() == []
        assert len(await damaged.memory.events(WorkspaceErased)) == 1
        await damaged.views.passed(await damaged.memory.log.store.head())
        assert await damaged.shown("session", "message") == set()
