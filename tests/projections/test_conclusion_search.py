"""Conclusions are found by their own words, and ordered by what they rest on too."""

import pytest

from projections.conclusion_search import ConclusionQuestion, search_conclusions
from projections.registry import LAGGING, PROMPT
from tests.support.folding import create, fold
from tests.support.history import record
from tests.support.story import concluded, joined, peer, rests_on, said, session

VIEWS = (*PROMPT, *LAGGING)
TALK = (
    said(1, "I painted a lake at sunrise with my brother"),
    said(2, "That was before the wedding"),
    said(3, "I paint every week"),
)


@pytest.fixture
async def views(db):
    await db.execute(
        "CREATE EXTENSION vector SCHEMA public; SET search_path TO view, public;"
        "CREATE SCHEMA log; CREATE TABLE log.embedding (tenant text, model text,"
        " fingerprint text, vector bytea); CREATE TABLE log.dropped_model (model text)"
    )
    await create(db, VIEWS)
    await fold(
        db,
        VIEWS,
        record(
            [
                peer("alice"),
                session("s"),
                joined("s", "alice"),
                *TALK,
                concluded("vague", "Alice painted", evidence=rests_on(TALK[0])),
                concluded("often", "Alice painted", evidence=rests_on(TALK[2])),
                concluded("bare", "Alice painted something"),
                concluded("other", "Alice swims", evidence=rests_on(TALK[1])),
            ]
        ),
    )
    return db


async def search(db, query, **more):
    asked = {"tenant": "w", "observer": None, "observed": "alice", "limit": 10} | more
    found = await search_conclusions(db, ConclusionQuestion(query=query, **asked))
    return [each.id for each in found]


async def test_what_rests_on_words_that_answer_comes_before_what_reads_the_same(views):
    found = await search(views, "Who painted the lake at sunrise?")
    assert found[0] == "vague"
    assert set(found) == {"vague", "often", "bare"}


async def test_what_shares_no_word_itself_is_not_found_through_what_it_rests_on(views):
    assert await search(views, "wedding") == []


async def test_before_it_was_concluded_it_is_not_found(views):
    assert await search(views, "painted lake", as_of=7) == ["vague"]
    assert await search(views, "painted lake", as_of=6) == []
