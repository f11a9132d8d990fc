"""What should hang together and does not is counted, each kind by itself."""

import pytest

from domain.conclusion import ConclusionRetracted
from infra.postgres.views import connect_views
from infra.proof.orphans import count_keys, count_orphans
from tests.support.own_streams import happened
from tests.support.projecting import projecting
from tests.support.story import (
    concluded,
    joined,
    peer,
    rests_on,
    said,
    session,
    summed_up,
    workspace,
)

WORDS = [said(n, f"tea {n}") for n in (1, 2)]
STORY = [
    workspace(),
    peer("alice"),
    session("s"),
    joined("s", "alice"),
    *WORDS,
    concluded("drawn", "alice likes tea", evidence=rests_on(WORDS[0])),
    concluded("deduced", "alice drinks", sources=("drawn",), level="deductive"),
    concluded("wrong", "alice likes milk", evidence=rests_on(WORDS[0])),
    concluded("right", "alice likes oat milk", corrects="wrong"),
    ConclusionRetracted(
        workspace="w",
        session="s",
        id="wrong",
        reason="corrected by request",
        actor="client",
        superseded_by="right",
    ),
    concluded("made", "a client said so", observer="bob"),
    concluded("upon", "what follows of it", sources=("made",), level="deductive"),
    summed_up("short", 2, 10),
]


@pytest.fixture
async def live(log, log_dsn):
    async with projecting(log, log_dsn) as (prompt, lagging):
        last = await happened(log, STORY)
        assert await prompt.wait_for(last, 60)
        assert await lagging.wait_for(last, 60)
    db = await connect_views(log_dsn)
    yield db
    await db.close()


async def counted(db):
    found = [each for each in await count_orphans(db) if each.count]
    return {each.name: (each.weight, each.count, each.example) for each in found}


async def test_of_a_sound_story_only_what_is_to_come_is_counted(live):
    assert await counted(live) == {
        "messages without a vector": ("waits", 2, "w/s-1"),
    }


WAITING = "messages without a vector"
HARMS = {
    "DELETE FROM message WHERE seq = 1": {
        "evidence whose message is gone": ("error", 2, "w/drawn"),
        "live conclusions without a message under them": ("error", 2, "w/deduced"),
    },
    "DELETE FROM message WHERE seq = 2": {
        "summaries beyond the last message": ("error", 1, "w/short-2"),
    },
    "DELETE FROM evidence": {
        "live conclusions without a message under them": ("error", 2, "w/deduced"),
    },
    "DELETE FROM peer": {
        "members that are no peers": ("error", 1, "w/s/alice"),
    },
    "INSERT INTO log.embedding (tenant, model, fingerprint, vector)"
    " VALUES ('w', 'm', 'f', '')": {
        "recorded vectors that no event names": ("leftover", 1, "w/f"),
    },
    "INSERT INTO log.command (first, last, at, id, forever, tenant, request_hash)"
    " VALUES (1, 99, now(), '00000000-0000-0000-0000-000000000001', true, 'w', '')": {
        "commands beyond the head of the log": (
            "error",
            1,
            "w/00000000-0000-0000-0000-000000000001",
        ),
    },
    "INSERT INTO work.tracking VALUES ('elsewhere', 99)": {
        "readers beyond the head of the log": ("error", 1, "elsewhere"),
    },
}


async def test_each_kind_is_counted_by_itself(live):
    for harm, expected in HARMS.items():
        transaction = live.transaction()
        await transaction.start()
        await live.execute(harm)
        found = await counted(live)
        await transaction.rollback()
        found.pop(WAITING, None)
        assert found == expected, harm


VECTORS = """
CREATE TABLE {kind}_vector_m_3 (tenant text, id text, origin text, session text,
    position bigint, embedding vector(3));
INSERT INTO vector_collection VALUES ('{kind}_vector_m_3', '{kind}', 'm', 3);
INSERT INTO {kind}_vector_m_3 VALUES ('w', 's-1', 'drawn', 's', 9, '[1,2,3]'),
    ('w', 'gone', 'gone', 's', 9, '[1,2,3]');
"""


@pytest.mark.parametrize("kind", ["message", "conclusion"])
async def test_vectors_of_nothing_wait_while_they_are_folded_behind(live, kind):
    await live.execute(VECTORS.format(kind=kind))
    name = f"vectors in {kind}_vector_m_3 whose text is gone"
    assert (await counted(live))[name] == ("error", 1, "w/gone")
    await live.execute(
        "UPDATE checkpoint SET position = 3 WHERE projection = 'vectors'"
    )
    found = await counted(live)
    assert found[name] == ("waits", 1, "w/gone")
    missing = 1 if kind == "message" else 2
    assert found[WAITING][:2] == ("waits", missing)


def test_keys_are_held_against_what_they_sealed():
    known = {1: True, 2: False, 3: True}
    found = {each.name: each for each in count_keys(known, {1: 10, 2: 11, 9: 12})}
    told = [(each.weight, each.count, each.example) for each in found.values()]
    assert told == [
        ("error", 1, "position 12"),
        ("leftover", 1, "position 11"),
        ("leftover", 1, "key 3"),
    ]
