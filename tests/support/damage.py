"""Events that are stored otherwise than they are: damaged, or of a later version."""

from functools import partial

import asyncpg
import pytest

from infra.postgres.mapper import StructMapper

ALTER = "ALTER TABLE log.event"
MEND = "UPDATE log.event SET type = $2, data = $3 WHERE id = $1"
STORED = "SELECT position, type, data FROM log.event WHERE position = $1"
BREAK = "UPDATE log.event SET data = $2 WHERE position = $1"


def broken_seal(data):
    return data.replace(b'"sealed":"', b'"sealed":"AAAA')


class Damage:
    """Has the events of some texts stored otherwise than they are, and mends that."""

    def __init__(self, dsn, monkeypatch):
        self.dsn = dsn
        self.done = []
        self.how = {}
        stored = StructMapper.to_stored_event

        def to_stored_event(mapper, draft):
            right = stored(mapper, draft)
            text = getattr(draft.event, "content", None)
            if text not in self.how:
                return right
            self.done.append((draft.id, right.topic, right.state))
            return type(right)(
                right.originator_id, right.originator_version, *self.how[text](right)
            )

        monkeypatch.setattr(StructMapper, "to_stored_event", to_stored_event)

    def data(self, text, change):
        """Let the bytes of a text be other ones."""
        self.how[text] = lambda right: (right.topic, change(right.state))

    def type(self, text, tag):
        """Let a text be of another type."""
        self.how[text] = lambda right: (tag, right.state)

    async def mend(self):
        """Let all be as it should have been, as for a version that can read it."""
        db = await asyncpg.connect(self.dsn)
        try:
            async with db.transaction():
                await db.execute(f"{ALTER} DISABLE TRIGGER event_only_grows")
                await db.executemany(MEND, self.done)
                await db.execute(f"{ALTER} ENABLE TRIGGER event_only_grows")
        finally:
            await db.close()


async def unguarded(dsn, statement, *args):
    """Change what is stored, as nobody may."""
    db = await asyncpg.connect(dsn)
    try:
        async with db.transaction():
            await db.execute(f"{ALTER} DISABLE TRIGGER event_only_grows")
            await db.execute(statement, *args)
            await db.execute(f"{ALTER} ENABLE TRIGGER event_only_grows")
    finally:
        await db.close()


async def break_at(dsn, position, change):
    """Damage an event that is there; return what mends it."""
    db = await asyncpg.connect(dsn)
    try:
        was = await db.fetchrow(STORED, position)
    finally:
        await db.close()
    await unguarded(dsn, BREAK, position, change(was["data"]))
    return partial(unguarded, dsn, BREAK, position, was["data"])


def cut_off(data):
    return data[: len(data) // 2]


@pytest.fixture
def damage(database, monkeypatch):
    return Damage(database.dsn(), monkeypatch)
