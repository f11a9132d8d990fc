"""Texts a request waits for get their vectors at once, each once, or later."""

import pytest

from infra.embedder.errors import EmbedderUnavailable
from infra.embedder.serving import Serving
from infra.text_memory import StoredTexts
from tests.support.application import WaitedFor


class Counting:
    """A source of vectors that remembers what it was asked, and may be away."""

    model = "counting"
    dimensions = 1

    def __init__(self):
        self.asked = []
        self.away = False

    async def embed(self, texts, *, interactive=False):
        assert interactive
        if self.away:
            raise EmbedderUnavailable("away")
        self.asked.append(list(texts))
        return [bytes(4) for _ in texts]

    async def embed_query(self, text):
        return bytes(4) if text else None


@pytest.fixture
def source():
    return Counting()


@pytest.fixture
def shown():
    return WaitedFor()


@pytest.fixture
def memory(opened, source, shown):
    async def settled(position):
        shown.positions.append(-position)

    return StoredTexts(
        Serving(source), opened.embeddings, opened.fingerprint, shown, settled
    )


async def test_each_text_is_embedded_once_and_stored(opened, memory, source):
    first = await memory.remember("w", ["tea", "jam", "tea"])
    again = await memory.remember("w", ["jam", "ham"])
    assert source.asked == [["tea", "jam"], ["ham"]]
    assert (first.model, first.dimensions) == ("counting", 1)
    assert first.fingerprints[0] == first.fingerprints[2] != first.fingerprints[1]
    assert again.fingerprints[0] == first.fingerprints[1]
    stored = await opened.embeddings.get_many("w", "counting", first.fingerprints)
    assert set(stored) == set(first.fingerprints)


async def test_without_an_embedder_only_what_is_stored_is_remembered(memory, source):
    known = await memory.remember("w", ["tea"])
    source.away = True
    assert await memory.remember("w", ["tea"]) == known
    assert await memory.remember("w", ["tea", "jam"]) is None


async def test_it_waits_for_the_views_that_questions_search(memory, shown):
    await memory.searchable(7)
    assert shown.positions == [-7, 7]
