"""Whatever a rebuild folds side by side, ahead or at once, views agree."""

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.names import session_stream, shard_of
from infra.postgres.slices import SHARDS
from infra.rebuild.stages import is_recounted
from projections.erasable import ENDS
from projections.projection import commutes, together, unwrapped
from projections.registry import LAGGING, PROMPT
from tests.properties.test_views import HISTORIES
from tests.support.chronicle import Chronicle
from tests.support.folding import create, fold
from tests.support.history import record
from tests.support.tables import contents_of, tables_of

VIEWS = (*PROMPT, LAGGING[0])
SHARDED = tuple(each for each in VIEWS if commutes(each))
REST = tuple(each for each in VIEWS if not commutes(each) and not is_recounted(each))
BY_NAME = {each.name: each for each in VIEWS}
GENTLY = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
async def trial(database):
    """Tables folded in order, and tables to be folded otherwise, before them."""
    db = await asyncpg.connect(database.dsn())
    for schema in ("ordered", "trial"):
        await db.execute(f"CREATE SCHEMA {schema}; SET search_path TO {schema}")
        await create(db, VIEWS)
    yield db
    await db.close()


async def folded_in_order(db, history):
    await emptied(db, "ordered")
    await fold(db, VIEWS, history)
    found = await contents_of(db, "ordered")
    await emptied(db, "trial")
    return found


async def emptied(db, schema):
    await db.execute(f"SET search_path TO {schema}")
    for table in await tables_of(db, schema):
        await db.execute(f'DELETE FROM "{table}"')  # noqa: S608  names from the catalogue


def recorded(choices):
    """A history in which each session's events are of its shard, as in the log."""
    return [
        msgspec.structs.replace(
            each, shard=shard_of(session_stream("w", s).ordering_key)
        )
        if (s := getattr(each.event, "session", None)) is not None
        else each
        for each in record(Chronicle().happen(choices))
    ]


def lanes_of(history, edge):
    """Cut a history in two by shard; what erases is in both."""
    return [
        [e for e in history if (e.shard < edge) == low or isinstance(e.event, ENDS)]
        for low in (True, False)
    ]


def test_something_is_folded_by_shards_and_something_at_once():
    assert {each.name for each in SHARDED} == {"messages", "progress"}
    assert [each.name for each in VIEWS if is_recounted(each)] == ["lexicon"]


@GENTLY
@given(
    choices=HISTORIES,
    edge=st.integers(*SHARDS),
    turns=st.lists(st.tuples(st.booleans(), st.integers(1, 9)), max_size=40),
)
async def test_shards_may_be_folded_each_at_its_own_pace(trial, choices, edge, turns):
    history = recorded(choices)
    whole = await folded_in_order(trial, history)
    lanes = lanes_of(history, edge)
    for first, count in [*turns, (True, 10**6), (False, 10**6)]:
        lane = lanes[first]
        batch, lanes[first] = lane[:count], lane[count:]
        await fold(trial, SHARDED, batch)
    found = await contents_of(trial, "trial")
    for each in SHARDED:
        for table in unwrapped(each).tables.split("CREATE TABLE ")[1:]:
            name = table.split()[0]
            if name != "departed_message":  # emptied by what counts words
                assert found[name] == whole[name], name


@GENTLY
@given(choices=HISTORIES, edge=st.integers(*SHARDS), backwards=st.booleans())
async def test_what_is_read_may_be_ahead_and_words_counted_at_once(
    trial, choices, edge, backwards
):
    """As a rebuild goes: by shards, then the others view by view, then the words."""
    history = recorded(choices)
    whole = await folded_in_order(trial, history)
    for lane in sorted(lanes_of(history, edge), key=len, reverse=backwards):
        await fold(trial, SHARDED, lane)
    for each in REST:
        await fold(trial, [each], history)
    ends = [each for each in history if isinstance(each.event, ENDS)]
    await unwrapped(BY_NAME["lexicon"]).recount(trial, ends)
    assert await contents_of(trial, "trial") == whole


@GENTLY
@given(
    choices=HISTORIES,
    name=st.sampled_from(sorted(BY_NAME)),
    cut=st.integers(1, 60),
)
async def test_some_may_be_folded_anew_from_live_tables_that_are_ahead(
    trial, choices, name, cut
):
    history = recorded(choices)
    whole = await folded_in_order(trial, history)
    chosen = [e for e in VIEWS if e.name == name or e.name in together(BY_NAME[name])]
    await trial.execute("DROP SCHEMA IF EXISTS part CASCADE; CREATE SCHEMA part")
    await trial.execute("SET search_path TO part, ordered")
    await create(trial, chosen)
    for batch in (history[:cut], history[cut:]):
        await fold(trial, chosen, batch)
    found = await contents_of(trial, "part")
    assert found == {table: whole[table] for table in found}
    assert await contents_of(trial, "ordered") == whole
    await trial.execute("DROP SCHEMA part CASCADE")
