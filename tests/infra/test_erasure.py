"""What was deleted is taken out of every store, and no more than that."""

from datetime import timedelta

import pytest

from commands.decide import Decide
from commands.derivation import RecordDerivation, record_derivation
from commands.parents import watch_named_session, watch_named_workspace
from commands.ports import ANY, AppendRequest, StreamAppend, WrongExpectedVersion
from domain.conclusion import ConclusionDerived, ConclusionRetracted, Evidence
from domain.derivation import Considered
from domain.erasure import (
    SessionDeleted,
    SessionErased,
    SessionErasureBegun,
    StreamErased,
    WorkspaceDeletionRequested,
    WorkspaceErased,
)
from domain.event import ERASED, Engine
from domain.names import (
    conclusion_stream,
    derivation_stream,
    pair_conclusion_stream,
    question_stream,
    session_stream,
    workspace_stream,
)
from domain.question import QuestionAnswered, ToolUsed, Trace
from domain.session import MessageAdded
from domain.summary import SummaryProduced
from domain.workspace import WorkspaceCreated
from infra.holdings import StoredHoldings
from infra.postgres.view_readers import open_view_readers
from processors.embed_memory import EmbedMemory
from processors.erase_session import EraseSession
from processors.erase_workspace import EraseWorkspace
from processors.living import Living
from processors.processor import Batch, Done, Retry
from processors.summarize_session import SummarizeSession
from tests.processors.test_embed_memory import Counting
from tests.support.law import assert_rebuilt_equals_live
from tests.support.ledgers import Answering, Books
from tests.support.ledgers import prompt as question
from tests.support.log import CAUSE
from tests.support.projecting import projecting
from tests.support.reactions import SAID_AT, Echo, at_once, deriving
from tests.support.taking import Words

LATER = SAID_AT + timedelta(hours=1)
ENGINE = Engine(name="test", version="1")


def looked(**told):
    """A tool a model used on the way to an answer."""
    return ToolUsed(iteration=1, tool="search_memory", **told)


class Eraser:
    """A log with live views, and what deletes and erases in it."""

    def __init__(self, memory, views, readers, dsn):
        self.memory, self.views, self.readers, self.dsn = memory, views, readers, dsn
        self.now = LATER
        stores = StoredHoldings(memory.log, readers, views, dsn)
        made = (memory.decide, stores, lambda: self.now)
        self.session, self.workspace = EraseSession(*made), EraseWorkspace(*made)

    async def append(self, stream, *events):
        streams = (StreamAppend(stream, ANY, events),)
        request = AppendRequest(stream.tenant, streams, CAUSE)
        appended = await self.memory.log.store.append(request)
        self.memory.decide.forget(stream.name)
        return appended.recorded

    async def delete(self, session="s"):
        deleted = SessionDeleted(
            workspace="w", session=session, deleted_at=SAID_AT, purge_at=LATER
        )
        return await self.append(session_stream("w", session), deleted)

    async def erase(self, session="s"):
        recorded = await self.delete(session)
        assert await self.session(Batch(f"w/{session}", recorded)) == Done()

    async def derive(self, recorded, reasoner=None):
        reasoner = reasoner or Echo()
        key = f"w/{recorded[0].event.session}"
        process = Living(
            deriving(self.memory, reasoner),
            self.memory.decide,
        )
        assert await process(Batch(key, tuple(recorded))) == Done()

    async def conclude(self, name, session, evidence=(), sources=()):
        if session is None:
            stream = pair_conclusion_stream("w", "bob", "alice")
        else:
            stream = conclusion_stream("w", session)
        event = ConclusionDerived(
            workspace="w",
            session=session,
            id=name,
            observed="alice",
            observer="bob" if session is None else None,
            content=f"alice is {name}",
            content_key=name,
            occurred_at=SAID_AT,
            engine=ENGINE,
            evidence=tuple(Evidence(m.id, m.session, m.seq) for m in evidence),
            sources=tuple(sources),
        )
        await self.append(stream, event)

    async def answer(self, name, *, messages=(), conclusions=(), tool=None, given=None):
        trace = None
        if tool is not None or given is not None:
            tools = () if tool is None else (tool,)
            told = {"tools": tools, **(given or {})}
            trace = Trace(run="r", iterations=1, ended="answered", **told)
        event = QuestionAnswered(
            workspace="w",
            id=name,
            peer="alice",
            target="alice",
            session=None,
            question=f"{name}?",
            answer=f"{name}!",
            conclusions=conclusions,
            messages=messages,
            level="low",
            as_of=1,
            answered_at=SAID_AT,
            engine=ENGINE,
            trace=trace,
            inputs=() if tool is None else ('{"query": "skiing"}',),
        )
        return await self.append(question_stream("w", "alice"), event)

    async def law(self):
        await assert_rebuilt_equals_live(self.dsn, self.memory.log.store)


@pytest.fixture
async def eraser(memory, database):
    dsn = database.dsn()
    async with (
        projecting(memory.log, dsn) as (prompt, _),
        open_view_readers(dsn) as readers,
    ):
        yield Eraser(memory, prompt, readers, dsn)


async def test_before_its_time_it_says_when_and_does_nothing(eraser):
    await eraser.memory.say("I ski.")
    deleted = await eraser.delete()
    eraser.now = LATER - timedelta(seconds=3)
    outcome = await eraser.session(Batch("w/s", deleted))
    assert outcome == Retry(timedelta(seconds=3), "its grace is not over")
    assert await eraser.memory.events(SessionErased) == []


async def test_what_rests_on_a_session_alone_goes_with_it(eraser):
    [gone] = [r.event for r in await eraser.memory.say("I ski.")]
    [kept] = [r.event for r in await eraser.memory.say("I row.", session="t")]
    await eraser.conclude("own", "s", [gone])
    await eraser.conclude("other", "t", [kept])
    await eraser.conclude("bereft", None, [gone])
    await eraser.conclude("both", None, [gone, kept])
    await eraser.conclude("upon", None, sources=["bereft", "own"])
    await eraser.conclude("half", None, sources=["bereft", "other"])
    await eraser.conclude("strange", "t", [gone])
    await eraser.erase()
    retracted = await eraser.memory.events(ConclusionRetracted)
    assert {each.id for each in retracted} == {"bereft", "upon", "strange"}
    await eraser.law()
    rows = await eraser.readers.fetch("SELECT DISTINCT id FROM conclusion")
    assert {row["id"] for row in rows} == {"other", "both", "half"}


async def test_what_rests_on_two_sessions_goes_with_the_second(eraser):
    """Also if it lost the first in two ways: by itself, and to a retraction."""
    [first] = [each.event for each in await eraser.memory.say("I ski.")]
    [second] = [each.event for each in await eraser.memory.say("I row.", session="t")]
    [third] = [each.event for each in await eraser.memory.say("I sing.", session="u")]
    for name, said in (("one", first), ("two", second), ("three", third)):
        await eraser.conclude(name, said.session, [said])
    await eraser.conclude("both", None, sources=["one", "two"])
    await eraser.conclude("upon", None, sources=["both"])
    await eraser.conclude("other", None, sources=["two", "three"])
    retracted = ConclusionRetracted(
        workspace="w", session="u", id="three", reason="wrong", actor="client"
    )
    await eraser.append(conclusion_stream("w", "u"), retracted)
    await eraser.erase("s")
    await eraser.views.wait_for(await eraser.memory.log.store.head(), 60)
    held = "SELECT DISTINCT origin FROM conclusion WHERE to_position IS NULL"
    rows = await eraser.readers.fetch(held)
    assert {row["origin"] for row in rows} == {"two", "both", "upon", "other"}
    await eraser.erase("t")
    await eraser.law()
    assert await eraser.readers.fetch(held) == []


async def test_a_session_is_unreadable_and_the_next_is_derived_anew(eraser):
    first = await eraser.memory.say("I ski.", "I row.", "I sing.")
    await eraser.derive(first)
    await eraser.erase()
    said = [each.content for each in await eraser.memory.events(MessageAdded)]
    assert said == [ERASED] * 3
    drawn = [each.content for each in await eraser.memory.events(ConclusionDerived)]
    assert drawn == [ERASED] * 3
    ended = {r.stream for r in await eraser.memory.recorded(StreamErased)}
    assert ended == {
        derivation_stream("w", "s").name,
        conclusion_stream("w", "s").name,
    }
    again = await eraser.memory.say("I ski.")
    assert again[0].event.seq == 1
    reasoner = Echo()
    await eraser.derive([*first, *again], reasoner)
    assert reasoner.asked == [(("alice",), ("I ski.",))]
    fresh = await eraser.memory.events(ConclusionDerived)
    assert fresh[-1].content == "alice says I ski."
    await eraser.law()


async def test_answers_that_quote_a_session_go_with_it_wherever_asked(eraser):
    [skis] = await eraser.memory.say("I ski.")
    [rows] = await eraser.memory.say("I row.", session="t")
    await eraser.conclude("skiing", "s", evidence=[skis.event])
    await eraser.conclude("rowing", "t", evidence=[rows.event])
    for name, quoted in {
        "one": {"messages": (skis.event.id, rows.event.id)},
        "two": {"messages": (rows.event.id,), "conclusions": ("skiing",)},
        "three": {"messages": (rows.event.id,), "conclusions": ("rowing",)},
        "four": {},
        "five": {"tool": looked(messages=(skis.event.id,))},
        "six": {"tool": looked(conclusions=("skiing",))},
        "seven": {"tool": looked(messages=(rows.event.id,))},
        "eight": {"given": {"messages": (skis.event.id,)}},
        "nine": {"given": {"conclusions": ("skiing",)}},
        "ten": {"given": {"conclusions": ("rowing",), "messages": (rows.event.id,)}},
    }.items():
        await eraser.answer(name, **quoted)
    await eraser.erase()
    told = {e.id: e.answer for e in await eraser.memory.events(QuestionAnswered)}
    assert told == {
        **dict.fromkeys(("one", "two", "five", "six", "eight", "nine"), ERASED),
        **{each: f"{each}!" for each in ("three", "four", "seven", "ten")},
    }
    asked = {e.id: e.inputs for e in await eraser.memory.events(QuestionAnswered)}
    assert (asked["five"], asked["seven"]) == ((ERASED,), ('{"query": "skiing"}',))


async def test_an_answer_that_comes_after_the_erasure_is_forgotten_as_it_comes(eraser):
    [skis] = await eraser.memory.say("I ski.")
    [rows] = await eraser.memory.say("I row.", session="t")
    await eraser.erase()
    late = await eraser.answer("late", messages=(skis.event.id, rows.event.id))
    kept = await eraser.answer("kept", messages=(rows.event.id,))
    seen = await eraser.answer("seen", tool=looked(messages=(skis.event.id,)))
    given = await eraser.answer("given", given={"messages": (skis.event.id,)})
    came = Batch("w/peer/alice", (*late, *kept, *seen, *given))
    assert await eraser.session(came) == Done()
    told = {e.id: e.answer for e in await eraser.memory.events(QuestionAnswered)}
    gone = dict.fromkeys(("late", "seen", "given"), ERASED)
    assert told == {"kept": "kept!", **gone}

    session = session_stream("w", "t")
    await eraser.delete("t")
    await eraser.append(session, SessionErasureBegun(workspace="w", session="t"))
    await eraser.conclude("sporty", None, evidence=[rows.event])
    for quoted in ({"messages": (rows.event.id,)}, {"conclusions": ("sporty",)}):
        waiting = await eraser.answer("waiting", **quoted)
        assert isinstance(await eraser.session(Batch("w/peer/alice", waiting)), Retry)


async def test_it_is_erased_once_however_often_it_is_asked(eraser):
    await eraser.memory.say("I ski.")
    deleted = await eraser.delete()
    for _ in range(2):
        assert await eraser.session(Batch("w/s", deleted)) == Done()
    again = await eraser.memory.say("I row.")
    assert await eraser.session(Batch("w/s", deleted)) == Done()
    assert len(await eraser.memory.events(SessionErased)) == 1
    assert [each.content for each in await eraser.memory.events(MessageAdded)] == [
        ERASED,
        again[0].event.content,
    ]


def unheard(eraser, kind):
    """Return what erases in a process that hears nothing of the other."""
    stores = StoredHoldings(eraser.memory.log, eraser.readers, eraser.views, eraser.dsn)
    decide = Decide(eraser.memory.log.store)
    return decide, kind(decide, stores, lambda: eraser.now)


async def test_who_does_not_know_of_an_erasure_leaves_the_next_session_alone(eraser):
    await eraser.memory.say("I ski.")
    deleted = await eraser.delete()
    decide, other = unheard(eraser, EraseSession)
    assert (await decide.look(watch_named_session("w", "s"))).deleted
    assert await eraser.session(Batch("w/s", deleted)) == Done()
    await eraser.memory.say("I row.")
    assert await other(Batch("w/s", deleted)) == Done()
    texts = [each.content for each in await eraser.memory.events(MessageAdded)]
    assert texts == [ERASED, "I row."]


async def test_who_is_held_up_in_an_erasure_leaves_the_next_session_alone(
    eraser, monkeypatch
):
    await eraser.memory.say("I ski.")
    deleted = await eraser.delete()
    _, other = unheard(eraser, EraseSession)
    bereft = other._holdings.bereft

    async def held_up(*named):
        assert await eraser.session(Batch("w/s", deleted)) == Done()
        await eraser.memory.say("I row.")
        return await bereft(*named)

    monkeypatch.setattr(other._holdings, "bereft", held_up)
    assert await other(Batch("w/s", deleted)) == Done()
    texts = [each.content for each in await eraser.memory.events(MessageAdded)]
    assert texts == [ERASED, "I row."]


async def asked_to_delete(eraser):
    """Return how a workspace with a message was made, and what asks to delete it."""
    stream = workspace_stream("w")
    made = WorkspaceCreated(workspace="w", uid="w", created_at=SAID_AT)
    await eraser.append(stream, made)
    await eraser.memory.say("I ski.")
    asked = WorkspaceDeletionRequested(
        workspace="w", requested_at=SAID_AT, purge_at=LATER
    )
    return made, await eraser.append(stream, asked)


async def test_who_does_not_know_of_an_erasure_leaves_the_next_workspace_alone(eraser):
    memory, stream = eraser.memory, workspace_stream("w")
    made, recorded = await asked_to_delete(eraser)
    decide, other = unheard(eraser, EraseWorkspace)
    assert (await decide.look(watch_named_workspace("w"))).deletion_requested
    assert await eraser.workspace(Batch("w", recorded)) == Done()
    await eraser.append(stream, made)
    memory.decide.forget(session_stream("w", "s").name)
    await memory.say("I row.")
    ended = len(await memory.events(StreamErased))
    assert await other(Batch("w", recorded)) == Done()
    texts = [each.content for each in await memory.events(MessageAdded)]
    assert texts == [ERASED, "I row."]
    assert len(await memory.events(StreamErased)) == ended


async def test_who_is_held_up_in_an_erasure_leaves_the_next_workspace_alone(
    eraser, monkeypatch
):
    """It knows which streams are to end, and one of them is told anew meanwhile."""
    memory, stream = eraser.memory, workspace_stream("w")
    made, recorded = await asked_to_delete(eraser)
    _, other = unheard(eraser, EraseWorkspace)
    look = other._holdings.streams_of_workspace

    async def held_up(*named):
        found = await look(*named)
        monkeypatch.undo()
        assert await eraser.workspace(Batch("w", recorded)) == Done()
        await eraser.append(stream, made)
        memory.decide.forget(session_stream("w", "s").name)
        await memory.say("I row.")
        return found

    monkeypatch.setattr(other._holdings, "streams_of_workspace", held_up)
    with pytest.raises(WrongExpectedVersion):
        await other(Batch("w", recorded))
    assert await other(Batch("w", recorded)) == Done()
    told = [
        type(each.event)
        for each in await memory.recorded()
        if each.stream == session_stream("w", "s").name
    ]
    assert told == [MessageAdded, StreamErased, MessageAdded]


async def test_what_comes_back_from_a_model_too_late_is_recorded_nowhere(eraser):
    [said] = await eraser.memory.say("I ski.")
    late = RecordDerivation(
        workspace="w",
        session="s",
        position=said.position,
        name="late:1:1-1",
        messages=(Considered(1, "alice", True),),
        found=(),
        engine=ENGINE,
        cause=CAUSE,
        causes={},
    )
    deleted = await eraser.delete()
    assert await record_derivation(eraser.memory.decide, late) is None
    await eraser.session(Batch("w/s", deleted))
    assert await record_derivation(eraser.memory.decide, late) is None
    await eraser.memory.say("I row.")
    assert await record_derivation(eraser.memory.decide, late) is None


async def test_a_vector_stays_while_another_session_holds_its_text(eraser):
    embedder = Counting()
    memory = eraser.memory
    process = EmbedMemory(
        memory.decide, embedder, memory.log.embeddings, memory.log.fingerprint
    )
    for session, texts in {"s": ("ok", "mine"), "t": ("ok",)}.items():
        said = await memory.say(*texts, session=session)
        await process(Batch(f"w/{session}", tuple(said)))
    await eraser.erase("s")
    assert await vectors(eraser) == ["alice: ok"]
    await eraser.erase("t")
    assert await vectors(eraser) == []


async def test_a_vector_that_comes_too_late_is_not_kept(eraser):
    memory = eraser.memory

    class Slow(Counting):
        async def embed(self, texts):
            await eraser.delete()
            return await super().embed(texts)

    process = EmbedMemory(
        memory.decide, Slow(), memory.log.embeddings, memory.log.fingerprint
    )
    assert await process(Batch("w/s", tuple(await memory.say("ok")))) == Done()
    assert await vectors(eraser) == []


async def test_nor_one_of_a_process_that_has_not_heard_of_the_erasure(eraser):
    memory = eraser.memory
    said = await memory.say("ok")

    class Slow(Counting):
        async def embed(self, texts):
            await eraser.erase()
            return await super().embed(texts)

    process = EmbedMemory(
        Decide(memory.log.store), Slow(), memory.log.embeddings, memory.log.fingerprint
    )
    process = Living(process, process._decide)
    assert await process(Batch("w/s", tuple(said))) == Done()
    assert await vectors(eraser) == []


async def test_a_parked_key_of_an_erased_session_goes_on(eraser, feeding):
    await eraser.memory.say("I ski.")
    await feeding.pool.execute(
        "INSERT INTO work.held (processor, ordering_key, tenant, position, state,"
        " reason) VALUES ('p', 'w/s', 'w', 1, 'parked', 'x'),"
        " ('p', 'w/t', 'w', 1, 'parked', 'x')"
    )
    await eraser.erase()
    parked = await feeding.parking.list(parked_only=True)
    assert [each.ordering_key for each in parked] == ["w/t"]


async def test_what_models_answered_goes_with_its_session_or_its_workspace(eraser):
    """Of what belongs to no session nobody knows of whom it tells."""
    memory = eraser.memory
    made = WorkspaceCreated(workspace="w", uid="w", created_at=SAID_AT)
    await eraser.append(workspace_stream("w"), made)
    await memory.say("I ski.")
    books = Books(memory.log, memory.decide, eraser.views, eraser.readers)
    model = books.model(Answering())
    for session in ("s", "t", None):
        work = {"key": "1-2", "session": session}
        await model.complete(question("What of it?", **work))
    assert await answered(eraser) == ["s", "t", None]
    await eraser.erase()
    assert await answered(eraser) == ["t"]
    await books.settler.settle()
    [used] = await books.rows("SELECT calls FROM llm_usage WHERE tenant = 'w'")
    assert used["calls"] == 3

    asked = WorkspaceDeletionRequested(
        workspace="w", requested_at=SAID_AT, purge_at=LATER
    )
    recorded = await eraser.append(workspace_stream("w"), asked)
    assert await eraser.workspace(Batch("w", recorded)) == Done()
    assert await memory.log.calls._pool.fetch("SELECT FROM log.llm_call") == []
    await eraser.law()
    assert await books.rows("SELECT FROM llm_usage") == []
    await books.model(Answering()).complete(question("Late.", session="s"))
    await books.settler.settle()
    assert await books.rows("SELECT FROM llm_call") == []


async def answered(eraser):
    rows = await eraser.memory.log.calls._pool.fetch(
        "SELECT session FROM log.llm_call WHERE response IS NOT NULL ORDER BY session"
    )
    return [row["session"] for row in rows]


async def test_a_workspace_goes_with_every_stream_key_and_vector(eraser):
    memory = eraser.memory
    made = WorkspaceCreated(workspace="w", uid="w", created_at=SAID_AT)
    await eraser.append(workspace_stream("w"), made)
    said = await memory.say("I ski.")
    await memory.say("I stay.", workspace="w-2")
    await eraser.derive(said)
    await eraser.conclude("pair", None)
    asked = WorkspaceDeletionRequested(
        workspace="w", requested_at=SAID_AT, purge_at=LATER
    )
    recorded = await eraser.append(workspace_stream("w"), asked)
    for _ in range(2):
        assert await eraser.workspace(Batch("w", recorded)) == Done()
    assert len(await memory.events(WorkspaceErased)) == 1
    newest = {}
    for each in await memory.recorded():
        if each.tenant == "w":
            newest[each.stream] = type(each.event)
    assert newest.pop("workspace-w") is WorkspaceErased
    assert len(newest) == 4
    assert set(newest.values()) == {StreamErased}
    texts = [each.content for each in await memory.events(MessageAdded)]
    assert texts == [ERASED, "I stay."]
    assert await vectors(eraser) == []
    await eraser.law()
    rows = await eraser.readers.fetch("SELECT DISTINCT tenant FROM message")
    assert [row["tenant"] for row in rows] == ["w-2"]


async def vectors(eraser):
    """Return the texts that have vectors: they are what the embedder makes of them."""
    log = eraser.memory.log
    texts = ["alice: ok", "alice: mine", "alice: I ski."]
    prints = await log.fingerprint("w", texts)
    there = await log.embeddings.get_many("w", "counting", prints)
    return [vector.decode() for vector in there.values()]


async def test_a_session_of_an_erased_ones_name_is_derived_and_summed_up(eraser):
    """Its messages have the numbers of those that are gone, in the same stream."""
    await eraser.memory.say(*(f"I {n}." for n in range(300)))
    await eraser.erase()
    said = await eraser.memory.say("I ski.", "I sail.", short_every=2)
    derive = deriving(eraser.memory, gathers=at_once(1_000))
    assert await derive(Batch("w/s", tuple(said[:1]))) == Done()
    summarize = SummarizeSession(
        eraser.memory.decide,
        eraser.memory.log.store,
        Echo(),
        tokens=Words(),
        clock=lambda: SAID_AT,
    )
    assert await summarize(Batch("w/s", tuple(said))) == Done()
    drawn = [
        each.content
        for each in await eraser.memory.events(ConclusionDerived)
        if each.content != ERASED
    ]
    assert drawn == ["alice says I ski.", "alice says I sail."]
    [summary] = await eraser.memory.events(SummaryProduced)
    assert summary.content == "short:|I ski.,I sail."
