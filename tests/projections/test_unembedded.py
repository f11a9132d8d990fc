"""What is concluded waits for its vector, so long and no longer."""

from array import array
from datetime import UTC, datetime, timedelta

import pytest

from domain.conclusion import ConclusionDerived, Evidence
from domain.embedding import Embedded, EmbeddingRecorded
from domain.event import Engine
from domain.session import MessageAdded, PeerJoined
from projections.conclusions import Conclusions
from projections.members import Members
from projections.messages import Messages
from projections.scope_sessions import ScopeSessions
from projections.unembedded import Unembedded, count_unembedded
from projections.vectors import Vectors
from tests.support.folding import create, fold
from tests.support.history import START, record

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
VIEWS = [Members(), Messages(), ScopeSessions(), Conclusions(), Vectors()]


@pytest.fixture
async def store(db):
    """The log's side of the vectors, as its migration makes it."""
    await db.execute(
        "CREATE EXTENSION vector SCHEMA public; SET search_path TO view, public;"
        "CREATE SCHEMA log; CREATE TABLE log.embedding (tenant text, model text,"
        " fingerprint text, vector bytea); CREATE TABLE log.dropped_model (model text)"
    )
    vector = array("f", (1.0, 0.0)).tobytes()
    await db.execute("INSERT INTO log.embedding VALUES ('w', 'm', 'f', $1)", vector)


def concluded(session, author):
    named = {"workspace": "w", "session": session}
    yield PeerJoined(**named, peer=author, joined_at=NOON)
    yield MessageAdded(
        **named,
        id=f"said-{author}",
        seq=1,
        author=author,
        created_at=NOON,
        tokens=1,
        content="I like tea",
    )
    yield ConclusionDerived(
        **named,
        id=f"of-{author}",
        observed=author,
        content="likes tea",
        content_key="likes tea",
        occurred_at=NOON,
        engine=Engine(name="offline", version="1"),
        evidence=(Evidence(f"said-{author}", session, 1),),
    )


def asked(since=START, **more):
    return Unembedded(tenant="w", model="m", dimensions=2, since=since, **more)


@pytest.mark.usefixtures("store")
async def test_it_waits_until_its_vector_is_there_or_it_waited_long_enough(db):
    await create(db, VIEWS)
    batch = record([*concluded("s", "alice"), *concluded("t", "bob")])
    await fold(db, VIEWS, batch)
    assert await count_unembedded(db, asked()) == {"s": 1, "t": 1}
    assert await count_unembedded(db, asked(session="s")) == {"s": 1}
    assert await count_unembedded(db, asked(sender="bob")) == {"t": 1}
    assert await count_unembedded(db, asked(START + timedelta(seconds=4))) == {"t": 1}
    assert await count_unembedded(db, asked(START + timedelta(minutes=1))) == {}

    embedded = EmbeddingRecorded(
        workspace="w",
        session="s",
        model="m",
        dimensions=2,
        items=(Embedded("conclusion", "of-alice", "f"),),
    )
    await fold(db, VIEWS, record([embedded], after=len(batch)))
    assert await count_unembedded(db, asked()) == {"t": 1}
