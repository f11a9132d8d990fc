"""Words of memory are found again by what they say, whatever else is held."""

import pytest

from domain.conclusion import ConclusionRetracted
from projections import held_words
from projections.held_words import find_held
from tests.projections.test_conclusions import NAMED, derived, joined, said, views
from tests.support.folding import create, fold
from tests.support.history import record


@pytest.fixture
async def held(db):
    await create(db, views())
    told = ("  Élodie LIKES green tea ", "Élodie likes green tea, too", "Tea is gone")
    told += tuple(f"Élodie likes green tea {n} times" for n in range(300))
    drawn = [
        derived(1, id=f"c{n}", content=words, content_key=words.strip().lower())
        for n, words in enumerate(told)
    ]
    gone = ConclusionRetracted(**NAMED, id="c2", reason="no", actor="me")
    await fold(db, views(), record([joined("alice"), said(1), *drawn, gone]))
    return db


async def test_words_are_found_whatever_their_case_and_no_others(held):
    asked = ["élodie likes GREEN tea", "green tea", "tea is gone"]
    found = await find_held(held, "w", ["alice", "bob"], asked)
    assert found == [("alice", "  Élodie LIKES green tea ")]
    assert await find_held(held, "w", ["bob"], asked) == []
    assert await find_held(held, "elsewhere", ["alice"], asked) == []


async def test_no_other_conclusion_is_read_for_it(held):
    await held.execute("ANALYZE conclusion")
    plan = await held.fetch(
        f"EXPLAIN (ANALYZE) {held_words._HELD}".replace("$1", "'w'")
        .replace("$2", "'{alice}'")
        .replace("$3", "'{0123456789abcdef}'")
    )
    told = "\n".join(row[0] for row in plan)
    assert "conclusion_said" in told, told
    assert "Removed" not in told
