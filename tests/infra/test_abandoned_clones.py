"""Copies of a clone that broke off are gone once nobody can carry it on."""

from datetime import timedelta

import msgspec
import pytest

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.erasure import SessionDeleted, SessionErased
from domain.event import ERASED
from domain.fork import SessionForked
from domain.names import session_stream
from domain.session import MessageAdded, SessionCreated
from infra.abandoned_clones import AbandonedClones
from infra.holdings import StoredHoldings
from infra.postgres.view_readers import open_view_readers
from processors.erase_session import EraseSession
from processors.processor import Batch, Done
from projections.message_changes import list_forking
from tests.support.damage import broken_seal, damage
from tests.support.law import assert_rebuilt_equals_live
from tests.support.log import CAUSE
from tests.support.projecting import projecting
from tests.support.reactions import SAID_AT

__all__ = ["damage"]

DAYS = 7


class Cloning:
    """A log with live views, in which sessions are copied in part."""

    def __init__(self, memory, views, readers, dsn):
        self.memory, self.views, self.readers = memory, views, readers
        self.log = memory.log
        self.now = SAID_AT
        self.clones = AbandonedClones(
            self.log.store, readers, memory.decide, lambda: self.now
        )
        stores = StoredHoldings(self.log, readers, views, dsn)
        self.eraser = EraseSession(memory.decide, stores, lambda: self.now)

    async def copy(self, session, text="I ski."):
        """Copy one message into a session that is not open; return its time."""
        [said] = await self.memory.say("I ski.")
        changed = {"session": session, "id": f"copy-{session}", "seq": 1}
        copied = msgspec.structs.replace(
            said.event, copy_of="m", content=text, **changed
        )
        [recorded] = await self.append(session, copied)
        return recorded.recorded_at

    async def append(self, session, *events):
        stream = session_stream("w", session)
        request = AppendRequest("w", (StreamAppend(stream, ANY, events),), CAUSE)
        appended = await self.log.store.append(request)
        self.memory.decide.forget(stream.name)
        assert await self.views.wait_for(appended.last, 60)
        return appended.recorded

    async def forking(self):
        async with self.readers.acquire() as db:
            return [session for _, session, _ in await list_forking(db)]


@pytest.fixture
async def cloning(memory, database):
    dsn = database.dsn()
    async with (
        projecting(memory.log, dsn) as (prompt, _),
        open_view_readers(dsn) as readers,
    ):
        yield Cloning(memory, prompt, readers, dsn)
        await assert_rebuilt_equals_live(dsn, memory.log.store)


async def test_copies_nobody_carries_on_are_deleted_and_erased(cloning):
    begun = await cloning.copy("half")
    cloning.now = begun + timedelta(days=DAYS, seconds=1)
    assert await cloning.clones.give_up(DAYS) == 1
    [deleted] = await cloning.memory.recorded(SessionDeleted)
    assert await cloning.eraser(Batch("w/half", (deleted,))) == Done()
    [erased] = await cloning.memory.recorded(SessionErased)
    assert await cloning.views.wait_for(erased.position, 60)
    assert await cloning.forking() == []
    said = {
        each.session: each.content for each in await cloning.memory.events(MessageAdded)
    }
    assert said == {"s": "I ski.", "half": ERASED}
    assert await cloning.clones.give_up(DAYS) == 0


async def test_a_clone_that_may_be_carried_on_is_let_be(cloning):
    begun = await cloning.copy("half")
    cloning.now = begun + timedelta(days=DAYS)
    assert await cloning.clones.give_up(DAYS) == 0
    assert await cloning.forking() == ["half"]


async def test_a_clone_that_is_done_is_no_half_one(cloning):
    begun = await cloning.copy("whole")
    named = {"workspace": "w", "session": "whole"}
    await cloning.append(
        "whole",
        SessionCreated(**named, uid="u", created_at=SAID_AT),
        SessionForked(**named, source="s", through_seq=1),
    )
    cloning.now = begun + timedelta(days=DAYS + 1)
    assert await cloning.forking() == []
    assert await cloning.clones.give_up(DAYS) == 0


async def test_one_that_cannot_be_read_keeps_no_other(cloning, damage):
    damage.data("I row.", broken_seal)
    await cloning.copy("damaged", "I row.")
    begun = await cloning.copy("half")
    cloning.now = begun + timedelta(days=DAYS, seconds=1)
    assert await cloning.clones.give_up(DAYS) == 1
    await damage.mend()
    deleted = await cloning.memory.events(SessionDeleted)
    assert [each.session for each in deleted] == ["half"]
    assert await cloning.clones.give_up(DAYS) == 1
