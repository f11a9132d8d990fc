"""Given texts, each gets its vector once, and the log says so once."""

import asyncio

from commands.decide import Decide
from domain.conclusion import ConclusionDerived
from domain.embedding import EmbeddingRecorded
from domain.event import ERASED
from processors.chunks import Chunking
from processors.embed_memory import EmbedMemory
from processors.processor import Done
from tests.support.reactions import batch, deriving


class Counting:
    """An embedder whose vectors are the texts, and which keeps what it was asked."""

    dimensions = 1

    def __init__(self, model="counting"):
        self.model = model
        self.asked = []

    async def embed(self, texts):
        self.asked.append(tuple(texts))
        return [text.encode() for text in texts]


def embed(memory, embedder, decide=None):
    return EmbedMemory(
        decide or memory.decide, embedder, memory.log.embeddings, memory.log.fingerprint
    )


def _items(recorded):
    return [item for each in recorded for item in each.event.items]


async def test_a_message_is_embedded_with_its_author(memory):
    said = await memory.say("I ski.")
    embedder = Counting()
    assert await embed(memory, embedder)(batch(*said)) == Done()

    assert embedder.asked == [("alice: I ski.",)]
    [recorded] = await memory.recorded(EmbeddingRecorded)
    [item] = recorded.event.items
    assert (item.kind, item.id) == ("message", said[0].event.id)
    assert (recorded.event.model, recorded.event.dimensions) == ("counting", 1)
    assert recorded.event.session == "s"
    assert recorded.cause.causation_id == said[0].id
    assert await memory.log.embeddings.get_many(
        "w", "counting", [item.fingerprint]
    ) == {item.fingerprint: b"alice: I ski."}


async def test_a_conclusion_is_embedded_as_it_reads(memory):
    said = await memory.say("I ski.")
    await deriving(memory)(batch(*said))
    [drawn] = await memory.recorded(ConclusionDerived)
    embedder = Counting()
    await embed(memory, embedder)(batch(*said, drawn))
    assert embedder.asked == [("alice: I ski.", "alice says I ski.")]
    [recorded] = await memory.recorded(EmbeddingRecorded)
    assert [each.kind for each in recorded.event.items] == ["message", "conclusion"]


async def test_equal_texts_are_embedded_once_and_both_recorded(memory):
    said = await memory.say("Hi", "Hi")
    embedder = Counting()
    await embed(memory, embedder)(batch(*said))
    later = await memory.say("Hi", session="s")
    await embed(memory, embedder)(batch(*later))
    assert embedder.asked == [("alice: Hi",)]
    recorded = await memory.recorded(EmbeddingRecorded)
    assert [i.id for i in _items(recorded)] == [m.event.id for m in (*said, *later)]


async def test_a_second_delivery_changes_nothing_however_it_is_cut(memory):
    said = await memory.say(*"abcde")
    embedder = Counting()
    await embed(memory, embedder)(batch(*said[:3]))
    before = await memory.recorded()
    for again in (said[:3], said[:1], said[1:3]):
        await embed(memory, embedder, Decide(memory.log.store))(batch(*again))
    assert await memory.recorded() == before
    await embed(memory, embedder)(batch(*said))
    items = _items(await memory.recorded(EmbeddingRecorded))
    assert [each.id for each in items] == [each.event.id for each in said]


async def test_two_at_once_record_each_text_once(memory):
    said = await memory.say(*(str(number) for number in range(40)))
    one = embed(memory, Counting())
    other = embed(memory, Counting(), Decide(memory.log.store))
    await asyncio.gather(one(batch(*said)), other(batch(*said[:21])))
    items = _items(await memory.recorded(EmbeddingRecorded))
    assert [each.id for each in items] == [each.event.id for each in said]


async def test_the_embedder_is_given_thirty_two_texts_at_most(memory):
    said = await memory.say(*(str(number) for number in range(70)))
    embedder = Counting()
    await embed(memory, embedder)(batch(*said))
    assert [len(texts) for texts in embedder.asked] == [32, 32, 6]


async def test_another_model_embeds_all_anew(memory):
    said = await memory.say("a", "b")
    await embed(memory, Counting())(batch(*said))
    await embed(memory, Counting("other"))(batch(*said))
    recorded = await memory.events(EmbeddingRecorded)
    assert [(each.model, len(each.items)) for each in recorded] == [
        ("counting", 2),
        ("other", 2),
    ]


async def test_what_is_erased_or_empty_has_no_vector(memory):
    said = await memory.say(ERASED, "")
    embedder = Counting()
    assert await embed(memory, embedder)(batch(*said)) == Done()
    assert embedder.asked == []
    assert await memory.recorded(EmbeddingRecorded) == []


async def test_messages_may_be_left_out(memory):
    said = await memory.say("I ski.")
    await deriving(memory)(batch(*said))
    [drawn] = await memory.recorded(ConclusionDerived)
    embedder = Counting()
    processor = EmbedMemory(
        memory.decide,
        embedder,
        memory.log.embeddings,
        memory.log.fingerprint,
        messages=False,
    )
    assert processor.handles == (ConclusionDerived,)
    await processor(batch(drawn))
    assert embedder.asked == [("alice says I ski.",)]


async def test_a_long_message_has_a_vector_for_each_chunk_all_recorded_at_once(memory):
    long = " ".join(f"{number:03}" for number in range(100))
    said = await memory.say("Hi", long, "Ho")
    embedder = Counting()
    processor = EmbedMemory(
        memory.decide,
        embedder,
        memory.log.embeddings,
        memory.log.fingerprint,
        chunking=Chunking(20, most=50),
    )
    assert await processor(batch(*said)) == Done()
    items = _items(await memory.recorded(EmbeddingRecorded))
    assert [(each.id, each.chunk) for each in items] == [
        (said[0].event.id, 0),
        *((said[1].event.id, chunk) for chunk in range(6)),
        (said[2].event.id, 0),
    ]
    [asked] = embedder.asked
    assert all(each.startswith("alice: ") for each in asked)
    before = await memory.recorded()
    await processor(batch(*said))
    assert await memory.recorded() == before


async def test_chunks_of_a_message_are_never_parted(memory):
    long = " ".join(f"{number:03}" for number in range(100))
    said = await memory.say(*(f"{n}" for n in range(30)), long)
    processor = EmbedMemory(
        memory.decide,
        Counting(),
        memory.log.embeddings,
        memory.log.fingerprint,
        chunking=Chunking(20, most=50),
    )
    await processor(batch(*said))
    recorded = await memory.events(EmbeddingRecorded)
    assert [len(each.items) for each in recorded] == [30, 6]
