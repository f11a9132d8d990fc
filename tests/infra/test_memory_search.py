"""An answer quotes what the asking peer may know, with its evidence."""

import asyncio
from array import array
from contextlib import asynccontextmanager

import msgspec

from commands.asking import AskedQuestion
from domain.conclusion import ConclusionDerived
from domain.event import Engine
from domain.session import MessageAdded
from infra.answer_background import ViewBackground
from infra.cited_evidence import ViewEvidence
from infra.memory_search import AT_ONCE, ViewMemorySearch
from infra.postgres.view_readers import READERS
from processors.answer_question import AnswerQuestion
from processors.embed_memory import EmbedMemory
from processors.processor import Batch
from projections.probe import Probe
from tests.support.projecting import append
from tests.support.reactions import SAID_AT, deriving
from tests.support.seeing import seen

ALIKE = {"Which sport does she like?", "bob: I cycle to work.", "bob says I ski."}


class Sorting:
    """An embedder that finds some texts alike and all others different."""

    model = "sorting"
    dimensions = 3

    async def embed(self, texts):
        near, far = array("f", [1, 0, 0]), array("f", [0, 1, 0])
        return [(near if text in ALIKE else far).tobytes() for text in texts]

    async def embed_query(self, text):
        return Probe((await self.embed([text]))[0], self.model, self.dimensions)


class Absent(Sorting):
    async def embed_query(self, _text):
        return None


def asking(query, *, peer="alice", target="alice", session=None, level="low"):
    return AskedQuestion(
        workspace="w",
        peer=peer,
        target=target,
        session=session,
        query=query,
        level=level,
    )


async def derive(memory):
    for session in ("s", "other"):
        said = [
            each
            for each in await memory.recorded(MessageAdded)
            if each.event.session == session
        ]
        if said:
            await deriving(memory)(Batch(f"w/{session}", tuple(said)))


async def test_an_answer_quotes_a_conclusion_and_names_its_messages(
    memory, database, opened
):
    await memory.join("alice")
    [said] = await memory.say("I ski in winter.")
    await memory.say("Nice weather today")
    await derive(memory)
    [drawn] = await memory.events(ConclusionDerived)
    async with seen(database, opened) as views:
        search = ViewMemorySearch(views.readers, Absent(), views)
        answered = await AnswerQuestion(search).answer(asking("When do I ski?"))
    assert "alice says I ski in winter." in answered.content
    assert answered.conclusions == (drawn.id,)
    assert answered.messages == (said.event.id,)
    assert said.event.id in answered.content
    assert answered.as_of == views.position
    assert answered.engine.name == "offline"


async def test_where_nothing_is_known_the_answer_says_so(memory, database, opened):
    await memory.say("I ski.")
    await derive(memory)
    async with seen(database, opened) as views:
        search = ViewMemorySearch(views.readers, Absent(), views)
        answered = await AnswerQuestion(search).answer(asking("Any quantum physics?"))
    assert answered.content == "Nothing is known about that yet."
    assert (answered.conclusions, answered.messages) == ((), ())


async def test_a_peer_is_told_only_what_it_heard(memory, database, opened):
    await memory.join("alice", "bob", session="s")
    await memory.join("bob", session="other")
    [heard] = await memory.say("My ski is blue", author="bob", session="s")
    await memory.say("My ski is secret", author="bob", session="other")
    async with seen(database, opened) as views:
        search = ViewMemorySearch(views.readers, Absent(), views)
        asked = asking("Which ski?", peer="alice", target="bob")
        told = await search.recall(asked, 10)
        own = await search.recall(asking("Which ski?", peer="bob", target="bob"), 10)
        pinned = asking("Which ski?", peer="bob", target="bob", session="other")
        there = await search.recall(pinned, 10)
    assert [each.id for each in told.found] == [heard.event.id]
    assert len(own.found) == 2
    assert [each.text for each in there.found] == ["My ski is secret"]


async def test_meaning_finds_what_shares_no_word(memory, database, opened):
    await memory.join("bob")
    await memory.say("I ski.", "I cycle to work.", "My bank is closed", author="bob")
    await derive(memory)
    embed = EmbedMemory(memory.decide, Sorting(), opened.embeddings, opened.fingerprint)
    await embed(Batch("w/s", tuple(await memory.recorded(MessageAdded))))
    drawn = await memory.recorded(ConclusionDerived)
    await embed(Batch("w/s", tuple(drawn)))
    async with seen(database, opened) as views:
        search = ViewMemorySearch(views.readers, Sorting(), views)
        asked = asking("Which sport does she like?", peer="bob", target="bob")
        recalled = await search.recall(asked, 10)
        answered = await AnswerQuestion(search).answer(asked)
    near = {each.text for each in recalled.found if each.similarity > 0.9}
    assert near == {"bob says I ski.", "I cycle to work."}
    assert "bob says I ski." in answered.content
    assert "I cycle to work." in answered.content
    assert "bank" not in answered.content


async def test_a_higher_level_quotes_more(memory, database, opened):
    await memory.join("alice")
    await memory.say(*(f"I ski in month {number}." for number in range(12)))
    await derive(memory)
    async with seen(database, opened) as views:
        answer = AnswerQuestion(ViewMemorySearch(views.readers, Absent(), views))
        told = [
            (await answer.answer(asking("ski?", level=level))).content
            for level in ("minimal", "low", "max")
        ]
    assert [each.count("\n- ") for each in told] == [3, 5, 10]


def concluded(number, **more):
    return ConclusionDerived(
        workspace="w",
        session="s",
        id=f"c{number}",
        observed="alice",
        content=f"alice likes ski number {number}",
        content_key=f"alice likes ski number {number}",
        occurred_at=SAID_AT,
        engine=Engine(name="scripted", version="1"),
        **more,
    )


async def test_explicit_and_derived_conclusions_do_not_crowd_each_other(
    memory, database, opened
):
    await memory.join("alice")
    explicit = [concluded(number) for number in range(5)]
    derived = [concluded(number, level="deductive") for number in range(5, 7)]
    await append(opened, [*explicit, *derived])
    async with seen(database, opened) as views:
        search = ViewMemorySearch(views.readers, Absent(), views)
        levels = [each.level for each in (await search.recall(asking("ski"), 2)).found]
        listed = msgspec.structs.replace(asking("ski"), sessions=("s",))
        confined = await search.recall(listed, 10)
        nowhere = msgspec.structs.replace(asking("ski"), sessions=())
        nothing = await search.recall(nowhere, 10)
    assert levels == ["explicit"] * 2 + ["deductive"] * 2
    assert {each.level for each in confined.found} == {"explicit"}
    assert nothing.found == ()


async def test_a_workspace_is_asked_for_all_of_it_once(memory, database, opened):
    await memory.join("alice", "bob")
    await memory.say("I ski fast")
    await memory.say("I ski slowly", author="bob")
    await derive(memory)
    everything = msgspec.structs.replace(asking("Which ski?"), peer=None, target=None)
    async with seen(database, opened) as views:
        search = ViewMemorySearch(views.readers, Absent(), views)
        found = (await search.recall(everything, 10)).found
    assert sorted(each.text for each in found) == [
        "I ski fast",
        "I ski slowly",
        "alice says I ski fast",
        "bob says I ski slowly",
    ]


class Watching:
    """The readers, and how many of them were ever in use at once."""

    def __init__(self, readers):
        self._readers = readers
        self.used = self.most = 0

    @asynccontextmanager
    async def acquire(self):
        async with self._readers.acquire() as connection:
            self.used += 1
            self.most = max(self.most, self.used)
            try:
                yield connection
            finally:
                self.used -= 1


async def test_many_who_ask_leave_readers_for_everybody_else(memory, database, opened):
    await memory.join("alice")
    await memory.say("I ski in winter.")
    async with seen(database, opened) as views:
        watching = Watching(views.readers)
        search = ViewMemorySearch(watching, Absent(), views)
        asked = [search.recall(asking("When do I ski?"), 10) for _ in range(20)]
        told = await asyncio.gather(*asked)
    assert all(each.found for each in told)
    assert watching.most <= AT_ONCE < READERS


async def test_memory_is_searched_as_of_a_position(memory, database, opened):
    await memory.join("alice")
    await memory.say("I ski in winter.")
    await derive(memory)
    then = await opened.store.head()
    await memory.say("I ski with my dog.")
    await derive(memory)
    async with seen(database, opened) as views:
        search = ViewMemorySearch(views.readers, Sorting(), views)
        past = msgspec.structs.replace(asking("Which ski?"), as_of=then)
        before = msgspec.structs.replace(asking("Which ski?"), as_of=0)
        found = [
            await search.recall(question, 10)
            for question in (before, past, asking("Which ski?"))
        ]
        background = ViewBackground(views.readers, cards=True, history_tokens=100)
        told = await background(msgspec.structs.replace(past, session="s"))
        evidence = ViewEvidence(views.readers)
        drawn = await memory.events(ConclusionDerived)
        cited = await evidence(past, [each.id for each in drawn], [])
    assert [len(each.found) for each in found] == [0, 2, 4]
    assert [each.as_of for each in found] == [0, then, views.position]
    assert {each.text for each in found[1].found} == {
        "alice says I ski in winter.",
        "I ski in winter.",
    }
    assert [each.text for each in told.history] == ["I ski in winter."]
    assert [each.content for each in cited.conclusions] == [
        "alice says I ski in winter."
    ]
