"""Vectors are joined from the store of the log, never computed."""

import random
from array import array
from datetime import UTC, datetime

import pytest

from domain.embedding import Embedded, EmbeddingRecorded
from domain.session import MessageAdded
from projections.messages import Messages
from projections.vectors import _STORED, Vectors, vector_table
from tests.support.folding import create, fold
from tests.support.history import record

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MODEL = "all-MiniLM-L6-v2-int8"
VIEWS = [Messages(), Vectors()]


@pytest.fixture
async def store(db):
    """The log's side of the vectors, as its migration makes it."""
    await db.execute(
        "CREATE EXTENSION vector SCHEMA public; SET search_path TO view, public;"
        "CREATE SCHEMA log; CREATE TABLE log.embedding (tenant text, model text,"
        " fingerprint text, vector bytea); CREATE TABLE log.dropped_model (model text)"
    )
    rng = random.Random(7)
    vectors = {}
    for n in range(600):
        vector = array("f", (rng.gauss(0, 1) for _ in range(8)))
        vectors[n] = vector
        await db.execute(
            "INSERT INTO log.embedding VALUES ('w', $1, $2, $3)",
            MODEL,
            f"f{n}",
            vector.tobytes(),
        )
    return vectors


def said(n):
    return MessageAdded(
        workspace="w",
        session="s",
        id=f"m{n}",
        seq=n + 1,
        author="alice",
        created_at=NOON,
        tokens=1,
        content="tea",
    )


def embedded(*items, dimensions=8):
    return EmbeddingRecorded(
        workspace="w", session="s", model=MODEL, dimensions=dimensions, items=items
    )


async def test_a_message_is_found_by_its_vector_exactly_as_it_was_recorded(db, store):
    await create(db, VIEWS)
    events = record(
        [
            *(said(n) for n in range(600)),
            embedded(*(Embedded("message", f"m{n}", f"f{n}") for n in range(600))),
            embedded(Embedded("message", "m1", "f1"), Embedded("message", "m2", "?")),
        ]
    )
    await fold(db, VIEWS, events)
    await fold(db, VIEWS, events)
    table = vector_table("message", MODEL, 8)
    assert table == "message_vector_all_minilm_l6_v2_int8_8"
    rows = await db.fetch(
        f"SELECT id, session, seq, peer, embedding::real[] AS numbers FROM {table}"  # noqa: S608
    )
    assert len(rows) == 600
    for row in rows:
        assert (row["session"], row["peer"]) == ("s", "alice")
        assert row["numbers"] == list(store[row["seq"] - 1])
    await db.execute("SET enable_seqscan = off")
    plan = await db.fetch(
        f"EXPLAIN SELECT id FROM {table}"  # noqa: S608
        " ORDER BY embedding <=> '[1,2,3,4,5,6,7,8]' LIMIT 5"
    )
    assert any(f"{table}_near" in row[0] for row in plan)


async def test_conclusions_have_a_collection_of_their_own(db, store):
    await create(db, VIEWS)
    events = record([embedded(Embedded("conclusion", "c1", "f3"))])
    await fold(db, VIEWS, events)
    table = vector_table("conclusion", MODEL, 8)
    assert await db.fetchval(f"SELECT origin FROM {table}") == "c1"  # noqa: S608
    collections = await db.fetch("SELECT name, kind, model FROM vector_collection")
    assert [tuple(row) for row in collections] == [(table, "conclusion", MODEL)]
    assert store


async def test_a_vector_of_another_size_than_said_is_left_out(db, store):
    await create(db, VIEWS)
    event = embedded(Embedded("message", "m1", "f1"), dimensions=3000)
    await fold(db, VIEWS, record([said(1), event]))
    table = vector_table("message", MODEL, 3000)
    assert await db.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608
    assert store


@pytest.mark.parametrize(
    "model", ['"; DROP TABLE message; --', "x" * 500, "犬", "", "a b"]
)
def test_a_table_name_is_safe_and_fits_whatever_the_model_is_called(model):
    name = vector_table("conclusion", model, 16_000)
    assert name.replace("_", "").isalnum()
    assert name.isascii()
    assert len(f"{name}_near") <= 63
    assert name != vector_table("conclusion", model + "!", 16_000)


async def test_a_plan_made_while_the_store_is_small_looks_for_each_vector(db):
    await db.execute(
        "CREATE SCHEMA log; CREATE TABLE log.embedding (tenant text, model text,"
        " fingerprint text, vector bytea, PRIMARY KEY (tenant, model, fingerprint));"
        "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan;"
        "INSERT INTO log.embedding VALUES ('w', 'm', 'f', '')"
    )
    await db.execute(f"PREPARE stored AS {_STORED}")
    plan = await db.fetch(
        "EXPLAIN EXECUTE stored ('m', '{w}', '{i}', '{f}', 0, '{s}', '{1}', '{0}')"
    )
    [looked] = [row[0] for row in plan if "Index Cond" in row[0]]
    assert "fingerprint" in looked, plan
