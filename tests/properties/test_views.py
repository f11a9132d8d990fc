"""However a history is cut into batches, and however often they come, views agree."""

import itertools

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.proof.comparison import tables_of
from projections.registry import LAGGING, PROMPT
from tests.support.chronicle import KINDS, Chronicle
from tests.support.folding import create, fold
from tests.support.history import record
from tests.support.tables import contents_of

VIEWS = (*PROMPT, LAGGING[0])
HISTORIES = st.lists(
    st.tuples(
        st.integers(0, KINDS - 1),
        st.integers(0, 1),
        st.integers(0, 2),
        st.integers(0, 20),
    ),
    min_size=20,
    max_size=60,
)


async def folded(db, batches):
    """Fold into empty tables and report all rows."""
    await empty(db)
    for batch in batches:
        async with db.transaction():
            await fold(db, VIEWS, batch)
    await intervals_join(db)
    return await contents_of(db, "trial")


async def empty(db):
    tables = await tables_of(db, "trial")
    await db.execute(";".join(f'DELETE FROM "{table}"' for table in tables))  # noqa: S608


async def intervals_join(db):
    """Each row ends where its entity's next begins, and only the newest is open."""
    for table, key in {
        "workspace": "tenant",
        "peer": "tenant, peer",
        "session": "tenant, session",
        "member": "tenant, session, peer",
        "conclusion": "tenant, id",
        "summary": "tenant, session, kind",
        "card": "tenant, observer, observed",
        "scope_session": "tenant, session, scope",
        "webhook": "tenant, id",
    }.items():
        following = (
            f"lead(from_position) OVER (PARTITION BY {key} ORDER BY from_position)"
        )
        joined = f"SELECT from_position, to_position, {following} AS next FROM {table}"  # noqa: S608
        # What is retracted or deleted ends, and nothing begins, or later.
        ends = table in {"conclusion", "summary", "webhook"}
        apart = "IS DISTINCT FROM next"
        apart = "> next OR to_position IS NULL AND next IS NOT NULL" if ends else apart
        broken = await db.fetch(
            f"SELECT * FROM ({joined})"  # noqa: S608
            f" WHERE to_position {apart}"
            " OR to_position <= from_position"
        )
        assert broken == [], table


@pytest.fixture
async def trial(database):
    db = await asyncpg.connect(database.dsn())
    await db.execute("CREATE SCHEMA trial; SET search_path TO trial")
    await create(db, VIEWS)
    yield db
    await db.close()


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(choices=HISTORIES, cuts=st.sets(st.integers(1, 70), min_size=1, max_size=6))
async def test_cutting_or_repeating_batches_changes_nothing(trial, choices, cuts):
    history = record(Chronicle().happen(choices))
    edges = [0, *sorted(cut for cut in cuts if cut < len(history)), len(history)]
    bounds = list(itertools.pairwise(edges))
    pieces = [history[first:last] for first, last in bounds]
    whole = await folded(trial, [history])
    assert await folded(trial, [[each] for each in history]) == whole
    assert await folded(trial, [p for p in pieces for _ in range(2)]) == whole
    overlapping = [history[max(0, first - 3) : last] for first, last in bounds]
    assert await folded(trial, [*overlapping, history]) == whole
