"""The embedder through its process: vectors, priorities, deaths."""

import asyncio
import math
import os
import random
import signal
import struct
import subprocess
import sys

import psutil
import pytest
import pytest_asyncio

from infra.embedder import child, process
from infra.embedder.errors import EmbedderUnavailable
from infra.embedder.process import EmbedderProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOUND = 60  # seconds; a loaded machine may be slow, a hang is not waited for


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def embedder():
    embedder = EmbedderProcess()
    await embedder.start()
    yield embedder
    await embedder.stop()


def cosine(one, other):
    pairs = zip(struct.unpack("<384f", one), struct.unpack("<384f", other), strict=True)
    return sum(a * b for a, b in pairs)


def sentences(count, seed=1):
    rng = random.Random(seed)
    words = ["I", "you", "Caroline", "moved to", "Madrid in May", "likes hiking,", "3"]
    return [" ".join(rng.choices(words, k=rng.randint(1, 40))) for _ in range(count)]


async def until(condition):
    async with asyncio.timeout(BOUND):
        while not condition():  # noqa: ASYNC110  other processes set no event
            await asyncio.sleep(0.02)


async def test_two_known_sentences_are_as_alike_as_the_model_says(embedder):
    one, other = await embedder.embed(
        ["A man is eating food.", "A man is eating a piece of bread."]
    )
    assert cosine(one, other) == pytest.approx(0.7535, abs=1e-4)
    assert len(one) == 4 * embedder.dimensions


async def test_every_vector_has_length_one_also_of_odd_texts(embedder):
    odd = [
        "",
        " ",
        "\n",
        "\x00",
        "\ud800",
        "🏳️‍🌈",
        "お誕生日",
        "x" * 5_000,
        "word " * 9_000,
    ]
    for vector in await embedder.embed(odd):
        assert math.isclose(cosine(vector, vector), 1.0, abs_tol=1e-5)


async def test_what_follows_256_tokens_is_not_looked_at(embedder):
    start = "tea " * 254
    one, other = await embedder.embed([start + "Madrid", start + "hiking " * 100])
    assert one == other


async def test_no_texts_give_no_vectors(embedder):
    assert await embedder.embed([]) == []


async def test_neighbours_in_a_batch_never_change_a_vector(embedder):
    texts = [*sentences(40), "tea " * 300, ""]
    alone = [(await embedder.embed([text]))[0] for text in texts]
    order = list(range(len(texts)))
    random.Random(2).shuffle(order)
    together = await embedder.embed([texts[i] for i in order])
    assert together == [alone[i] for i in order]


async def test_concurrent_askers_each_get_their_own_answer(embedder):
    texts = sentences(30, seed=3)
    expected = await embedder.embed(texts)
    answers = await asyncio.gather(*(embedder.embed([text]) for text in texts))
    assert [vector for (vector,) in answers] == expected


async def test_a_question_overtakes_a_long_background_queue(embedder):
    background = asyncio.create_task(embedder.embed(sentences(200, seed=4)))
    await until(lambda: embedder._asked)
    assert await embedder.embed_query("Where does Caroline live?") is not None
    assert not background.done()
    assert len(await background) == 200


async def test_a_killed_child_is_replaced_and_what_it_owed_is_asked_again(embedder):
    (before,) = await embedder.embed(["tea"])
    first = embedder.pid
    pending = asyncio.create_task(embedder.embed(sentences(60, seed=5)))
    await until(lambda: embedder._asked)
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(BOUND):
        assert len(await pending) == 60
        assert await embedder.embed(["tea"]) == [before]
    assert embedder.pid != first


async def test_texts_over_which_two_children_died_are_given_up():
    embedder = EmbedderProcess()
    await embedder.start()
    try:
        await until(lambda: embedder.ready)
        pending = asyncio.create_task(embedder.embed(["tea " * 300] * 64))
        for _ in range(2):
            await until(lambda: embedder.ready and embedder._asked)
            os.kill(embedder.pid, signal.SIGKILL)
            await until(lambda: not embedder.ready)
        with pytest.raises(EmbedderUnavailable, match="died twice"):
            await pending
        assert len(await embedder.embed(["tea"])) == 1
    finally:
        await embedder.stop()


async def test_a_child_that_hangs_is_killed_and_its_question_refused(monkeypatch):
    monkeypatch.setattr(process, "_QUESTION_WITHIN", 0.2)
    embedder = EmbedderProcess()
    await embedder.start()
    try:
        await until(lambda: embedder.ready)
        hanging = embedder.pid
        os.kill(hanging, signal.SIGSTOP)
        await until(lambda: psutil.Process(hanging).status() == psutil.STATUS_STOPPED)
        assert await embedder.embed_query("Where?") is None
        await until(lambda: embedder.ready and embedder.pid != hanging)
    finally:
        await embedder.stop()


async def test_a_child_that_never_starts_is_reported_not_waited_for(monkeypatch):
    broken = (sys.executable, "-c", "raise SystemExit(3)")
    monkeypatch.setattr(child, "_COMMAND", broken)
    embedder = EmbedderProcess()
    await embedder.start()
    try:
        async with asyncio.timeout(BOUND):
            with pytest.raises(EmbedderUnavailable, match="does not start"):
                await embedder.embed(["tea"])
            assert await embedder.embed_query("tea") is None
        monkeypatch.undo()
        await until(lambda: embedder.ready)
        assert len(await embedder.embed(["tea"])) == 1
    finally:
        await embedder.stop()


async def test_asking_before_start_and_after_stop_is_refused():
    embedder = EmbedderProcess()
    with pytest.raises(EmbedderUnavailable, match="not started"):
        await embedder.embed(["tea"])
    await embedder.start()
    waiting = asyncio.create_task(embedder.embed(["tea"]))
    await until(lambda: embedder.pid)
    pid = embedder.pid
    await embedder.stop()
    with pytest.raises(EmbedderUnavailable, match="stopped"):
        await waiting
    assert not psutil.pid_exists(pid)


async def test_a_child_gets_no_secrets(monkeypatch):
    monkeypatch.setenv("LLM_OPENAI_API_KEY", "sk-not-for-you")
    assert "LLM_OPENAI_API_KEY" not in child._environment()


SERVER = """
import asyncio, sys
from infra.embedder.process import EmbedderProcess

async def main():
    embedder = EmbedderProcess()
    await embedder.start()
    await embedder.embed(["tea"])
    heavy = {"numpy", "onnxruntime", "tokenizers"} & set(sys.modules)
    print(embedder.pid, *sorted(heavy), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_the_child_ends_with_a_server_killed_in_a_foreign_folder(tmp_path):
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "__init__.py").write_text("raise RuntimeError('not ours')")
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", SERVER), cwd=tmp_path, stdout=subprocess.PIPE
    )
    try:
        async with asyncio.timeout(BOUND):
            said = (await server.stdout.readline()).split()
    finally:
        server.kill()
        await server.wait()
    assert len(said) == 1, "the server imports no numpy, onnxruntime or tokenizers"
    orphan = int(said[0])
    await until(lambda: not runs(orphan))


def runs(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
