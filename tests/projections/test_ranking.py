"""Ranking mixes words and meaning, and lets neighbours lift a hit."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.ranking import (
    BEST,
    GROUP,
    NEXT,
    PREVIOUS,
    VERBATIM,
    Candidate,
    idf,
    rank,
)


def candidate(name, *, bm25=0.0, distance=None, verbatim=False, place=None, age=0):
    return Candidate(name, place or (name, 1), bm25, distance, verbatim, age)


def ids(scored):
    return [each.id for each in scored]


def test_words_and_meaning_count_half_each():
    found = rank(
        [
            candidate("both", bm25=4, distance=0.2),
            candidate("words", bm25=4, distance=0.9),
            candidate("meaning", bm25=0, distance=0.2),
            candidate("neither", bm25=0, distance=0.9),
        ],
        neighbours=False,
    )
    scores = {each.id: each.score for each in found}
    assert scores == pytest.approx(
        {"both": 1.0, "words": 0.5, "meaning": 0.5, "neither": 0.0}
    )


def test_without_vectors_words_decide_alone():
    found = rank([candidate("a", bm25=1), candidate("b", bm25=3)], neighbours=False)
    assert [(e.id, e.score) for e in found] == [("b", 1.0), ("a", 1 / 3)]


def test_what_is_not_embedded_yet_is_judged_by_its_words():
    found = rank(
        [
            candidate("new", bm25=3),
            candidate("far", bm25=3, distance=0.9),
            candidate("near", bm25=0, distance=0.1),
        ]
    )
    assert ids(found)[0] == "new"


def test_a_hit_lifts_its_neighbours_but_not_those_of_another_session():
    found = rank(
        [
            candidate("hit", bm25=2, place=("s", 5)),
            candidate("after", place=("s", 6)),
            candidate("before", place=("s", 4)),
            candidate("elsewhere", place=("t", 6)),
            candidate("two away", place=("s", 7)),
        ]
    )
    scores = {each.id: each.score for each in found}
    session = GROUP / BEST
    assert scores == pytest.approx(
        {
            "hit": 1.0 + session,
            "after": PREVIOUS + session,
            "before": NEXT + session,
            "elsewhere": 0.0,
            "two away": session,
        }
    )


def test_a_session_of_which_much_fits_lifts_what_it_holds():
    one = [candidate("alone", bm25=2.9, place=("s", 1))]
    many = [candidate(f"of many {n}", bm25=2.8, place=("t", 9 * n)) for n in range(3)]
    best = candidate("best", bm25=3.0, place=("u", 1))
    assert ids(rank([*one, *many, best]))[0].startswith("of many")


def test_what_is_favoured_weighs_so_much_more():
    found = rank(
        [
            candidate("plain", bm25=3),
            msgspec.structs.replace(candidate("favoured", bm25=2.9), favour=0.1),
        ]
    )
    assert ids(found) == ["favoured", "plain"]


def test_the_whole_query_counts_even_where_no_word_of_it_is_indexed():
    some = [candidate("the and of", verbatim=True), candidate("other")]
    found = rank(some, neighbours=False)
    assert (found[0].id, found[0].score) == ("the and of", VERBATIM)


def test_of_equals_the_newest_comes_first():
    found = rank([candidate(name, bm25=1, age=n) for n, name in enumerate("abc")])
    assert ids(found) == ["c", "b", "a"]


def test_rarer_is_weightier_and_lagging_statistics_never_weigh_negative():
    assert idf(100, 1) > idf(100, 50) > idf(100, 100) > 0
    assert idf(0, 0) > 0
    assert idf(5, 9) > 0


candidates = st.lists(
    st.builds(
        Candidate,
        id=st.uuids().map(str),
        place=st.tuples(st.sampled_from("st"), st.integers(1, 40)),
        bm25=st.floats(0, 50),
        distance=st.none() | st.floats(0, 2),
        verbatim=st.booleans(),
        age=st.integers(1, 10**6),
    ),
    max_size=30,
    unique_by=(lambda c: c.place, lambda c: c.age),
)


@given(candidates)
def test_every_candidate_comes_out_once_in_an_order_of_its_own(some):
    found = rank(some)
    assert sorted(ids(found)) == sorted(c.id for c in some)
    assert [e.score for e in found] == sorted((e.score for e in found), reverse=True)
    assert all(0 <= e.score <= 1 + PREVIOUS + NEXT + GROUP + 1e-9 for e in found)
    shuffled = random.Random(1).sample(some, len(some))
    assert ids(rank(shuffled)) == ids(found)
