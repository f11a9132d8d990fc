"""A representation is chosen in shares of its budget and told in order of time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.conclusion import ConclusionReinforced
from projections.lexicon import Lexicon
from projections.registry import PROMPT
from projections.representation import Shares, Wanted, represent, split
from tests.support.folding import create, fold
from tests.support.history import record
from tests.support.story import ENGINE, at, concluded


def wanted(**more):
    return Wanted(**({"tenant": "w", "observer": "alice", "observed": "alice"} | more))


@pytest.mark.parametrize(
    ("options", "shares"),
    [
        ({}, Shares(0, 0, 100)),
        ({"frequent": True}, Shares(0, 50, 50)),
        ({"query": "q"}, Shares(33, 0, 67)),
        ({"query": "q", "frequent": True}, Shares(33, 33, 34)),
        ({"query": "q", "budget": 2}, Shares(1, 0, 1)),
        ({"query": "q", "budget": 1, "frequent": True}, Shares(1, 0, 0)),
        ({"query": "q", "budget": 10, "top": 40}, Shares(10, 0, 0)),
        ({"query": "q", "budget": 10, "top": 9, "frequent": True}, Shares(9, 1, 0)),
        ({"top": 9, "budget": 10}, Shares(0, 0, 10)),
    ],
)
def test_the_budget_is_split_as_the_contract_says(options, shares):
    assert split(wanted(**options)) == shares


@given(
    budget=st.integers(1, 100),
    top=st.none() | st.integers(1, 100),
    query=st.sampled_from([None, "q"]),
    frequent=st.booleans(),
)
def test_shares_always_add_up_to_the_budget(budget, top, query, frequent):
    shares = split(wanted(budget=budget, top=top, query=query, frequent=frequent))
    assert shares.similar + shares.frequent + shares.recent == budget
    assert min(shares.similar, shares.frequent, shares.recent) >= 0


VIEWS = (*PROMPT, Lexicon())


async def show(db, *events):
    await create(db, VIEWS)
    await fold(db, VIEWS, record(events))


async def texts(db, **more):
    return [each.content for each in await represent(db, wanted(**more))]


async def test_the_most_recent_are_chosen_and_told_by_the_time_they_were_said(db):
    await show(
        db,
        concluded("a", "first", occurred_at=at(9)),
        concluded("b", "second", occurred_at=at(1)),
        concluded("c", "third", occurred_at=at(5)),
    )
    assert await texts(db) == ["second", "third", "first"]
    assert await texts(db, budget=2) == ["second", "third"]


async def test_what_was_said_at_one_moment_is_told_in_the_order_it_was_concluded(db):
    await show(db, *[concluded(name, name.upper()) for name in "zayb"])
    assert await texts(db) == ["Z", "A", "Y", "B"]


async def test_what_was_derived_most_often_has_its_share(db):
    again = ConclusionReinforced(
        workspace="w",
        session="s",
        id="old",
        observed="alice",
        occurred_at=at(0),
        engine=ENGINE,
    )
    await show(
        db,
        concluded("old", "often"),
        *(concluded(f"c{n}", f"fact {n}", occurred_at=at(n + 1)) for n in range(8)),
        again,
    )
    assert await texts(db, budget=2) == ["fact 6", "fact 7"]
    assert await texts(db, budget=2, frequent=True) == ["often", "fact 7"]


async def test_what_is_similar_has_its_share_by_words_where_there_are_no_vectors(db):
    await show(
        db,
        concluded("old", "Alice plays the cello"),
        *(concluded(f"c{n}", f"fact {n}", occurred_at=at(n + 1)) for n in range(8)),
    )
    found = await texts(db, budget=3, query="what cellos?")
    assert found == ["Alice plays the cello", "fact 6", "fact 7"]
    assert await texts(db, budget=3, query="what cellos?", farthest=0.9) == [
        "fact 6",
        "fact 7",
    ]


async def test_equal_observations_appear_once(db):
    await show(
        db,
        concluded("a", "same"),
        concluded("b", "same"),
        concluded("c", "same", session="t"),
        concluded("d", "same", occurred_at=at(1)),
    )
    assert await texts(db) == ["same", "same", "same"]


async def test_a_list_of_sessions_leaves_only_what_was_said_in_them(db):
    await show(
        db,
        concluded("a", "here"),
        concluded("b", "elsewhere", session="t"),
        concluded("c", "nowhere", session=None),
        concluded("d", "derived", level="deductive"),
        concluded("e", "covered", level="deductive", sessions=("s",)),
        concluded("f", "of both", level="inductive", sessions=("s", "t")),
        concluded("g", "of none", level="inductive", sessions=("", "s")),
    )
    assert await texts(db, sessions=["s"]) == ["here", "covered"]
    everywhere = ["here", "elsewhere", "covered", "of both"]
    assert await texts(db, sessions=["s", "t", "unknown"]) == everywhere
    assert await texts(db, sessions=[]) == []
    assert len(await texts(db)) == 7


async def test_every_pair_has_its_own(db):
    await show(db, concluded("a", "self"), concluded("b", "held", observer="bob"))
    assert await texts(db) == ["self"]
    assert await texts(db, observer="bob") == ["held"]
    assert await texts(db, observer="alice", observed="bob") == []
