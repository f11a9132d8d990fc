"""The story of a message or conclusion: every record, each under its cause."""

from datetime import UTC, datetime
from uuid import uuid4

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionRetracted,
)
from domain.derivation import DerivationCompleted
from domain.embedding import EmbeddingRecorded
from domain.event import Engine
from domain.names import (
    conclusion_stream,
    peer_stream,
    question_stream,
    session_stream,
)
from domain.peer import PeerCreated
from domain.question import QuestionAnswered
from domain.recorded import Cause
from domain.session import MessageAdded, SessionCreated
from domain.summary import SummaryProduced
from infra.trace import trace
from processors.embed_memory import EmbedMemory
from processors.summarize_session import SummarizeSession
from projections.holdings import row_id
from tests.processors.test_embed_memory import Counting
from tests.processors.test_summarize_session import NOW, Words
from tests.support.reactions import Echo, batch, deriving
from tests.support.seeing import seen

AT = datetime(2026, 1, 1, tzinfo=UTC)


async def first_request(memory):
    """Append what a first request records: peer, session and two messages."""
    said = [
        MessageAdded(
            workspace="w",
            session="s",
            id=f"m{seq}",
            seq=seq,
            author="alice",
            created_at=AT,
            tokens=1,
            content=text,
        )
        for seq, text in enumerate(("I ski.", "I row."), start=1)
    ]
    peer = PeerCreated(workspace="w", peer="alice", uid="p", created_at=AT)
    opened = SessionCreated(workspace="w", session="s", uid="s", created_at=AT)
    appended = await memory.log.store.append(
        AppendRequest(
            tenant="w",
            streams=(
                StreamAppend(peer_stream("w", "alice"), 0, (peer,)),
                StreamAppend(session_stream("w", "s"), 0, (opened, *said)),
            ),
            cause=Cause(actor="client", correlation_id=uuid4()),
        )
    )
    return appended.recorded


async def answer(memory, conclusion):
    answered = QuestionAnswered(
        workspace="w",
        id="q",
        peer="alice",
        target="alice",
        session=None,
        question="?",
        answer="!",
        conclusions=(conclusion,),
        messages=("m1",),
        level="low",
        as_of=1,
        answered_at=AT,
        engine=Engine(name="offline", version="1"),
    )
    await memory.log.store.append(
        AppendRequest(
            tenant="w",
            streams=(StreamAppend(question_stream("w", "alice"), ANY, (answered,)),),
            cause=Cause(actor="client", correlation_id=uuid4()),
        )
    )


async def a_life(memory):
    """Let everything happen that can happen to a message."""
    *_, one, two = await first_request(memory)
    derive = deriving(memory)
    await derive(batch(one, two))
    later = await memory.say("I ski.", "Bye", short_every=4)
    await derive(batch(*later))
    summarize = SummarizeSession(
        memory.decide, memory.log.store, Echo(), tokens=Words(), clock=lambda: NOW
    )
    await summarize(batch(one, two, *later))
    drawn = await memory.recorded(ConclusionDerived)
    embed = EmbedMemory(
        memory.decide, Counting(), memory.log.embeddings, memory.log.fingerprint
    )
    await embed(batch(one, two, drawn[0]))
    await answer(memory, drawn[0].event.id)
    return one, drawn[0], later[0]


def as_pairs(story):
    """Name each record and its cause by type, with an id where there are several."""
    names = {each.record.id: named(each.record.event) for each in story}
    return [(names[each.record.id], names.get(each.under)) for each in story]


def named(event):
    name = type(event).__name__
    return f"{name} {event.id}" if isinstance(event, MessageAdded) else name


async def test_a_messages_story_holds_all_that_came_of_it(memory, database, opened):
    one, _, _ = await a_life(memory)
    async with seen(database, opened) as views:
        story = await trace(views.readers, opened.store, one.event.id)
    assert as_pairs(story) == [
        ("PeerCreated", None),
        ("SessionCreated", None),
        ("MessageAdded m1", None),
        ("DerivationCompleted", "MessageAdded m1"),
        ("ConclusionDerived", "MessageAdded m1"),
        ("ConclusionReinforced", "ConclusionDerived"),
        ("SummaryProduced", "MessageAdded m1"),
        ("EmbeddingRecorded", "ConclusionDerived"),
        ("QuestionAnswered", "ConclusionDerived"),
    ]


async def test_a_conclusions_story_begins_with_the_messages_it_rests_on(
    memory, database, opened
):
    one, drawn, again = await a_life(memory)
    async with seen(database, opened) as views:
        story = await trace(views.readers, opened.store, drawn.event.id)
    kinds = [type(each.record.event) for each in story]
    assert kinds == [
        PeerCreated,
        SessionCreated,
        MessageAdded,
        DerivationCompleted,
        ConclusionDerived,
        MessageAdded,
        DerivationCompleted,
        ConclusionReinforced,
        EmbeddingRecorded,
        QuestionAnswered,
    ]
    said = [
        each.record.id for each in story if kinds[story.index(each)] is MessageAdded
    ]
    assert said == [one.id, again.id]
    by_kind = {type(each.record.event): each for each in story}
    assert by_kind[ConclusionReinforced].under == again.id
    assert by_kind[ConclusionDerived].under == one.id
    assert SummaryProduced not in by_kind
    assert by_kind[EmbeddingRecorded].under == drawn.id


async def test_another_observers_row_leads_to_the_same_story(memory, database, opened):
    await memory.join("alice")
    await memory.join("bob", observe_others=True)
    said = await memory.say("I ski.")
    await deriving(memory)(batch(*said))
    [drawn] = await memory.events(ConclusionDerived)
    async with seen(database, opened) as views:
        his = await trace(views.readers, opened.store, row_id(drawn.id, "bob"))
        own = await trace(views.readers, opened.store, drawn.id)
    assert his == own != []


async def test_a_retracted_conclusion_keeps_its_story(memory, database, opened):
    said = await memory.say("I ski.")
    await deriving(memory)(batch(*said))
    [drawn] = await memory.recorded(ConclusionDerived)
    retracted = ConclusionRetracted(
        workspace="w", session="s", id=drawn.event.id, reason="deleted", actor="client"
    )
    stream = conclusion_stream("w", "s")
    await memory.log.store.append(
        AppendRequest(
            tenant="w",
            streams=(StreamAppend(stream, ANY, (retracted,)),),
            cause=Cause(actor="client", correlation_id=uuid4()),
        )
    )
    async with seen(database, opened) as views:
        story = await trace(views.readers, opened.store, drawn.event.id)
    assert story[-1].record.event == retracted
    assert story[-1].under == drawn.id


async def test_an_unknown_id_has_no_story(memory, database, opened):
    await memory.say("I ski.")
    async with seen(database, opened) as views:
        assert await trace(views.readers, opened.store, "nothing") == []
