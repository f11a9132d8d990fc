"""Random filters find in Postgres exactly what plain Python finds in the same rows."""

import itertools
from datetime import timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projections.as_of import NOW
from projections.condition import Bind, equals, every
from projections.registry import PROMPT
from read_api.filters import compile_filter
from read_api.pages import PageQuery, read_page
from read_api.resources import (
    CONCLUSION_FILTERS,
    CONCLUSIONS,
    MESSAGE_FILTERS,
    PEER_FILTERS,
    PEERS,
    messages_at,
)
from tests.support import filter_trees as random
from tests.support.filter_oracle import matches
from tests.support.folding import create, fold
from tests.support.history import START, record
from tests.support.story import NOON, at, concluded, peer, said

NAMES = ("a", "ab", "B", "c_d", "e-f")
MOMENTS = (
    *("2026-01-01T12:00:00Z", "2026-01-01 12:01", "20260101", "2026-01-02"),
    *(" 2026-01-01T17:02:00+05:00", "1999-01-01"),
)
RECORDED = (str(START), str(START + timedelta(seconds=2)), "2026-01-01", "2027-01-01")
COUNTS = (0, 1, 2, "2", 1.5, True, "1e1", -1)
LEVELS = ("explicit", "deductive", "inductive", "contradiction")
MOST = PageQuery(size=100)
TRIES = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
async def db(database):
    connection = await asyncpg.connect(database.dsn())
    await connection.execute("CREATE SCHEMA trial; SET search_path TO trial")
    await create(connection, PROMPT)
    yield connection
    await connection.close()


@pytest.fixture
def tenants():
    """A workspace of its own for each try."""
    return (f"w{number}" for number in itertools.count())


async def agree(db, listing, resource, tenant, rows, filters):
    alias = listing.rows(Bind()).rpartition(" ")[2]
    for tree in filters:
        where = every(equals(f"{alias}.tenant", tenant), compile_filter(tree, resource))
        found, total = await read_page(db, listing, where, MOST)
        names = sorted(row["id" if "id" in row else "peer"] for row in found)
        expected = [
            name for name, row in rows.items() if matches(tree, row) is not False
        ]
        assert names == sorted(expected), tree
        assert total == len(expected)


def each_of(columns):
    return st.lists(random.trees(columns), min_size=5, max_size=10)


PEER_TREES = each_of(
    {
        "id": random.on_text(NAMES),
        "created_at": random.on_order(MOMENTS),
        "metadata": random.ON_METADATA,
    }
)


@TRIES
@given(
    metadata=st.lists(random.METADATA, min_size=5, max_size=5),
    filters=PEER_TREES,
)
async def test_peers_are_found_as_plain_python_finds_them(
    db, tenants, metadata, filters
):
    tenant = next(tenants)
    rows = {
        name: {"id": name, "created_at": at(number), "metadata": stored}
        for number, (name, stored) in enumerate(zip(NAMES, metadata, strict=True))
    }
    events = [
        peer(
            name,
            workspace=tenant,
            created_at=row["created_at"],
            metadata=row["metadata"],
        )
        for name, row in rows.items()
    ]
    await fold(db, PROMPT, record(events))
    await agree(db, PEERS, PEER_FILTERS, tenant, rows, filters)


MESSAGE_TREES = each_of(
    {
        "peer_id": random.on_text(NAMES),
        "session_id": random.on_text(("s", "t", "u")),
        "token_count": random.on_order(COUNTS),
        "created_at": random.on_order(MOMENTS),
        "metadata": random.ON_METADATA,
    }
)
SAID = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(("s", "t")),
    st.integers(0, 3),
    random.METADATA,
)


@TRIES
@given(messages=st.lists(SAID, min_size=3, max_size=6), filters=MESSAGE_TREES)
async def test_messages_are_found_as_plain_python_finds_them(
    db, tenants, messages, filters
):
    tenant = next(tenants)
    rows, events = {}, []
    for seq, (author, session, count, metadata) in enumerate(messages, start=1):
        rows[f"m{seq}"] = {
            "peer_id": author,
            "session_id": session,
            "token_count": count,
            "created_at": at(count),
            "metadata": metadata,
        }
        events.append(
            said(
                seq,
                "hello",
                workspace=tenant,
                id=f"m{seq}",
                author=author,
                session=session,
                tokens=count,
                created_at=at(count),
                metadata=metadata,
            )
        )
    await fold(db, PROMPT, record(events))
    await agree(db, messages_at(NOW), MESSAGE_FILTERS, tenant, rows, filters)


CONCLUSION_TREES = each_of(
    {
        "id": random.on_text(("c1", "c2", "c9")),
        "content": random.on_text(("Likes tea", "tea", "%")),
        "level": random.on_order(LEVELS),
        "session_id": random.on_text(("s", "t")),
        "observer_id": random.on_text(NAMES),
        "observed": random.on_text(NAMES),
        "times_derived": random.on_order(COUNTS),
        "created_at": random.on_order(RECORDED),
        "source_ids": random.on_ids(("c1", "c2", "x")),
        "deleted_at": random.on_order(RECORDED),
        "metadata": random.ON_METADATA,
    }
)
HELD = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.sampled_from(("s", "t", None)),
    st.sampled_from(LEVELS),
    st.sets(st.sampled_from(("c1", "c2", "x"))),
)


@TRIES
@given(conclusions=st.lists(HELD, min_size=3, max_size=6), filters=CONCLUSION_TREES)
async def test_conclusions_are_found_as_plain_python_finds_them(
    db, tenants, conclusions, filters
):
    tenant = next(tenants)
    rows, events = {}, []
    for number, (observer, observed, session, level, sources) in enumerate(
        conclusions, start=1
    ):
        rows[f"c{number}"] = {
            "id": f"c{number}",
            "content": f"Likes TEA {number}%",
            "level": level,
            "session_id": session,
            "observer_id": observer,
            "observed": observed,
            "times_derived": 1,
            "created_at": START + timedelta(seconds=number),
            "source_ids": sources,
            "deleted_at": None,
            "metadata": {},
        }
        events.append(
            concluded(
                f"c{number}",
                f"Likes TEA {number}%",
                workspace=tenant,
                observer=observer,
                observed=observed,
                session=session,
                level=level,
                sources=tuple(sources),
                occurred_at=NOON,
            )
        )
    await fold(db, PROMPT, record(events))
    await agree(db, CONCLUSIONS, CONCLUSION_FILTERS, tenant, rows, filters)
