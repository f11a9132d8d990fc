"""Conclusions that stand out among the vectors of a pair, or why there are none."""

from array import array

import pytest

from domain.embedding import Embedded, EmbeddingRecorded
from domain.names import embedding_stream
from infra.postgres.view_readers import open_view_readers
from infra.settings.dream import Surprisal
from infra.surprisal.hints import make_hints
from processors.surprisal import no_hints
from tests.support.projecting import projecting
from tests.support.taking import Ground

PAIR = ("w", "alice", "alice")


class Asked:
    model = "m"
    dimensions = 3


@pytest.fixture
async def memory(log, log_dsn):
    async with (
        projecting(log, log_dsn) as (prompt, lagging),
        open_view_readers(log_dsn) as readers,
    ):
        made = Ground(log, prompt, readers, log_dsn)
        made.lagging = lagging
        await made.begin()
        yield made


async def learn(memory, vectors, **more):
    """Conclude something for each vector."""
    names = [f"{more.get('level', 'e')}{n}" for n in range(len(vectors))]
    for name in names:
        await memory.conclude(name, **more)
    stored = {
        name: array("f", vector).tobytes()
        for name, vector in zip(names, vectors, strict=True)
    }
    await memory.log.embeddings.put_many("w", "m", stored)
    event = EmbeddingRecorded(
        workspace="w",
        session="s",
        model="m",
        dimensions=3,
        items=tuple(
            Embedded(kind="conclusion", id=name, fingerprint=name) for name in names
        ),
    )
    [recorded] = await memory.append(embedding_stream("w", "w/s"), event)
    assert await memory.lagging.wait_for(recorded.position, 60)


async def hints(memory, position=2**40, **settings):
    chosen = Surprisal(enabled=True, **{"tree_k": 2, **settings})
    return await make_hints(chosen, memory.readers, Asked())(PAIR, position)


ALIKE = [[1.0, 0.01 * n, 0.0] for n in range(9)]


async def test_what_stands_out_is_told_cut(memory):
    await learn(memory, [*ALIKE, [-1.0, 0.0, 0.0]])
    found = await hints(memory)
    assert (found.texts, found.reason) == (("alice is e9",), "")
    more = await hints(memory, top_percent_surprisal=1.0)
    assert len(more.texts) == 10
    for strategy in ("random", "all"):
        assert (await hints(memory, sampling_strategy=strategy)).texts == found.texts


async def test_of_too_few_it_is_said_why_there_are_no_hints(memory):
    assert (await hints(memory)).reason == "0 vectors of 4 needed"
    await learn(memory, ALIKE[:3])
    assert (await hints(memory)).reason == "3 vectors of 4 needed"
    assert (await hints(memory, position=1)).reason == "0 vectors of 4 needed"


async def test_only_the_levels_that_are_set_are_looked_at(memory):
    await learn(memory, ALIKE, level="inductive")
    assert "0 vectors" in (await hints(memory)).reason
    assert (await hints(memory, include_levels=["inductive"])).texts


async def test_switched_off_it_says_so():
    assert make_hints(Surprisal(), None, None) is no_hints
    assert (await no_hints(PAIR, 1)).reason == "off"
