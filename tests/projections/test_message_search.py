"""Messages are found by their words, by their meaning and by who stands beside."""

import math
from array import array
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from domain.embedding import Embedded, EmbeddingRecorded
from domain.session import MessageAdded
from projections.condition import Bind, equals
from projections.lexicon import Lexicon
from projections.message_search import WHOLE, Question, search_messages
from projections.messages import Messages
from projections.probe import Probe
from projections.ranking import K1, B, idf
from projections.stems import find_stems, quote
from projections.vectors import Vectors
from projections.withheld import Withheld
from tests.support.folding import create, fold
from tests.support.history import record

NOON = datetime(2023, 5, 7, 12, tzinfo=UTC)
VIEWS = [Messages(), Withheld(), Lexicon(), Vectors()]
MODEL = "test-model"


def said(seq, content, session="s", author="alice", workspace="w", at=NOON):
    return MessageAdded(
        workspace=workspace,
        session=session,
        id=f"{session}-{seq}",
        seq=seq,
        author=author,
        created_at=at,
        tokens=1,
        content=content,
    )


def pointing(degrees):
    angle = math.radians(degrees)
    return array("f", (math.cos(angle), math.sin(angle))).tobytes()


def probe(degrees):
    return Probe(pointing(degrees), MODEL, 2)


@pytest.fixture
async def views(db):
    await db.execute(
        "CREATE EXTENSION vector SCHEMA public; SET search_path TO view, public;"
        "CREATE SCHEMA log; CREATE TABLE log.embedding (tenant text, model text,"
        " fingerprint text, vector bytea); CREATE TABLE log.dropped_model (model text)"
    )
    await create(db, VIEWS)
    return db


async def show(db, *events):
    await fold(db, VIEWS, record(events))


async def point(db, vectors, workspace="w"):
    """Give messages vectors of two dimensions, by their angle."""
    for message, degrees in vectors.items():
        await db.execute(
            "INSERT INTO log.embedding VALUES ($1, $2, $3, $4)",
            workspace,
            MODEL,
            message,
            pointing(degrees),
        )
    event = EmbeddingRecorded(
        workspace=workspace,
        session=None,
        model=MODEL,
        dimensions=2,
        items=tuple(Embedded("message", each, each) for each in vectors),
    )
    await fold(db, VIEWS, record([event], after=10_000))


async def search(db, query, **more):
    limit = more.pop("limit", 10)
    question = Question(tenant="w", query=query, limit=limit, **more)
    return [scored.id for scored in await search_messages(db, question)]


async def test_any_word_may_match_and_the_rarer_weighs_more(views):
    await show(
        views,
        *(said(n, "we talked about tea") for n in range(1, 9)),
        said(20, "the zebra ran"),
        said(30, "tea with a zebra"),
    )
    found = await search(views, "Which zebras drank teas?")
    assert found[:2] == ["s-30", "s-20"]


async def test_the_author_and_the_day_are_part_of_what_is_indexed(views):
    later = NOON + timedelta(days=40)
    await show(
        views,
        said(1, "I moved house", author="caroline"),
        said(3, "I moved house", author="melanie", at=later),
    )
    assert (await search(views, "caroline"))[0] == "s-1"
    assert (await search(views, "moved in june"))[0] == "s-3"
    assert (await search(views, "moved on 7 May 2023"))[0] == "s-1"


async def test_what_contains_the_whole_query_is_always_found(views):
    await show(views, said(1, "Aftermath, of it ALL"), said(9, "nothing"))
    assert await search(views, "math, OF it a") == ["s-1"]
    assert await search(views, "of it") == ["s-1"]


async def test_a_query_of_only_unknown_words_finds_nothing(views):
    await show(views, said(1, "tea"))
    assert await search(views, "xylophone") == []
    assert await search(views, "the of and") == []


async def test_an_empty_query_gives_the_newest(views):
    await show(views, *(said(n, f"number {n}") for n in range(1, 6)))
    assert await search(views, "  ", limit=2) == ["s-5", "s-4"]


async def test_neighbours_of_a_hit_are_found_behind_it(views):
    await show(
        views,
        said(1, "hello there"),
        said(2, "do you like sailing?"),
        said(3, "yes, very much"),
        said(1, "unrelated", session="t"),
    )
    assert await search(views, "sailing") == ["s-2", "s-3", "s-1"]


async def test_meaning_finds_what_words_do_not(views):
    await show(views, *(said(n, f"word{n}") for n in (1, 11, 21)))
    await point(views, {"s-1": 0, "s-11": 60, "s-21": 120})
    assert (await search(views, "something", probe=probe(115)))[0] == "s-21"
    assert (await search(views, "word1", probe=probe(5)))[0] == "s-1"


async def test_without_any_vectors_yet_words_answer_alone(views):
    await show(views, said(1, "tea"))
    assert await search(views, "tea", probe=probe(0)) == ["s-1"]


async def test_one_workspace_never_finds_what_another_holds(views):
    await show(views, said(1, "secret tea", workspace="other"))
    await point(views, {"s-1": 0}, workspace="other")
    assert await search(views, "secret tea", probe=probe(0)) == []
    assert await search(views, "", probe=probe(0)) == []


async def test_a_session_and_a_condition_confine_every_leg(views):
    await show(
        views,
        said(1, "tea", session="s"),
        said(1, "tea", session="t"),
        said(2, "tea", session="t", author="bob"),
    )
    await point(views, {"s-1": 0, "t-1": 0, "t-2": 0})
    assert set(await search(views, "tea", session="t", probe=probe(0))) == {
        "t-1",
        "t-2",
    }
    by_bob = equals("m.peer", "bob")
    assert await search(views, "tea", where=by_bob, probe=probe(0)) == ["t-2"]
    assert await search(views, "", session="s") == ["s-1"]


async def test_a_short_session_and_a_long_one_answer_alike(views):
    fillers = [said(n, f"filler {n}") for n in range(1, WHOLE - 1)]
    await show(views, *fillers, said(WHOLE, "the zebra"))
    short = await search(views, "zebra", session="s")
    assert short == [f"s-{WHOLE}"]
    more = [said(n, f"filler {n}") for n in range(WHOLE + 5, WHOLE + 30)]
    await fold(views, VIEWS, record(more, after=1_000))
    assert await search(views, "zebra", session="s") == short
    await point(views, {f"s-{WHOLE}": 5, "s-1": 0, "s-9": 90})
    found = await search(views, "filler 9", session="s", probe=probe(90))
    assert found[0] == "s-9"


async def test_the_limit_cuts_the_best(views):
    await show(views, *(said(2 * n, f"tea {'x ' * n}") for n in range(1, 50)))
    found = await search(views, "tea", limit=100)
    assert len(found) == 49
    assert await search(views, "tea", limit=3) == found[:3]


@pytest.mark.parametrize(
    "query",
    [
        "it's 'quoted'",
        "back\\slash \\' \\\\",
        "tea:* & !x | (y)",
        "<-> <2> a:b:c *",
        "😀 emoji 🫖",
        "100% _under_ %",
        "$1 ; DROP TABLE message --",
        "http://a.b/c?d='e'&f",
        "犬 日本語",
        "x" * 30_000,
        "word " * 5_000,
        "\u00a0\u2028 \u00ad",
    ],
)
async def test_any_query_is_a_question_and_finds_what_holds_it(views, query):
    await show(views, said(1, f"before {query} after"), said(9, "nothing"))
    await point(views, {"s-1": 0, "s-9": 90})
    assert (await search(views, query))[:1] == ["s-1"]
    assert (await search(views, query, probe=probe(0)))[0] == "s-1"


async def test_stems_are_quoted_so_that_a_query_takes_them_literally(db):
    for lexeme in ("a'b", "a\\b", "a:*", "a & b", "' | '", "\\'", "😀", "(", "!"):
        taken = await db.fetchval("SELECT $1::text::tsquery::text", quote(lexeme))
        assert taken == quote(lexeme)


async def test_occurrences_are_read_back_from_the_rank_of_one_stem(db):
    for times in (0, 1, 2, 3, 7, 40, 255):
        content = "word " + "tea " * times
        rounded = await db.fetchval(
            "SELECT round(float8 '0.6079271' / (1 - ts_rank('{1,1,1,1}',"
            " to_tsvector('english', $1), 'tea'))::float8 - 0.5)",
            content,
        )
        assert rounded == pytest.approx(times, rel=0.02)


async def test_bm25_is_the_textbook_figure(views):
    texts = ["tea tea biscuits", "tea and a very long walk along the river", "walk"]
    await show(views, *(said(n, text) for n, text in enumerate(texts, start=1)))
    stems = await find_stems(views, "w", "tea")

    bind = Bind()
    rows = await views.fetch(
        f"SELECT length(m.words) AS size, {stems.bm25('m.words', bind)} AS bm25"  # noqa: S608
        " FROM message AS m ORDER BY seq",
        *bind.values,
    )
    average = sum(row["size"] for row in rows) / 3
    for row, times in zip(rows, (2, 1, 0), strict=True):
        norm = K1 * (1 - B + B * row["size"] / average)
        expected = idf(3, 2) * times * (K1 + 1) / (times + norm)
        assert row["bm25"] == pytest.approx(expected)


async def test_a_large_workspace_still_finds_the_whole_query(views):
    await show(views, said(1, "I said: Hello dear old world of mine"), said(2, "world"))
    await views.execute("UPDATE corpus SET documents = 1000000")
    assert (await search(views, "lo dear old wor"))[0] == "s-1"
    assert (await search(views, "ello"))[0] == "s-1"
    assert (await search(views, "d of mi"))[0] == "s-1"


async def point_parts(db, message, *degrees):
    """Give a message further vectors, of what follows its first chunk."""
    items = []
    for chunk, angle in enumerate(degrees, start=1):
        name = f"{message}#{chunk}"
        await db.execute(
            "INSERT INTO log.embedding VALUES ('w', $1, $2, $3)",
            MODEL,
            name,
            pointing(angle),
        )
        items.append(Embedded("message", message, name, chunk))
    event = EmbeddingRecorded(
        workspace="w", session=None, model=MODEL, dimensions=2, items=tuple(items)
    )
    await fold(db, VIEWS, record([event], after=20_000))


@pytest.mark.parametrize("session", ["s", None])
async def test_a_long_message_is_found_once_by_what_it_says_late(views, session):
    await show(views, *(said(n, f"word{n}") for n in (1, 11, 21)))
    await point(views, {"s-1": 0, "s-11": 60, "s-21": 120})
    await point_parts(views, "s-1", 80, 170, 95)
    found = await search(views, "something", probe=probe(168), session=session)
    assert found == ["s-1", "s-21", "s-11"]


async def test_words_are_stemmed_as_their_language_has_it(views):
    await show(
        views,
        said(1, "Ich habe gestern mit den Kindern zwei Häuser gemalt."),
        said(9, "Der Hund schläft auf dem Sofa und ist müde."),
        said(20, "We painted the houses with the children"),
    )
    assert (await search(views, "Haus"))[0] == "s-1"
    assert (await search(views, "Wer malte ein Haus?"))[0] == "s-1"
    assert (await search(views, "schlafender Hund, auf Sofas"))[0] == "s-9"
    assert (await search(views, "painting a house"))[0] == "s-20"


async def test_a_language_may_be_set_where_words_do_not_tell(views):
    named = msgspec.structs.replace(said(1, "Häuser, Gärten"), language="german")
    await show(views, named, said(9, "Gärten"))
    assert await search(views, "Haus") == ["s-1"]


@pytest.mark.parametrize("query", ["好きな犬", "犬が好き?", "大好き"])
async def test_what_has_no_blanks_between_words_is_found_by_a_part(views, query):
    await show(views, said(1, "私は犬が好きです。"), said(9, "猫と東京へ行く"))
    assert (await search(views, query))[:1] == ["s-1"]


async def test_parts_of_what_is_joined_are_found(views):
    await show(views, said(1, "we had tea/coffee at example.com"), said(9, "milk"))
    for query in ("coffee", "Was there tea?", "example", "tea/coffee"):
        assert (await search(views, query))[:1] == ["s-1"], query


async def test_a_language_that_came_later_changes_nothing_before(views):
    await show(views, said(1, "the list of houses"), said(9, "Alice listens"))
    then = await search(views, "Listen", as_of=2)
    german = said(20, "Ich habe die Listen mit den Häusern gemalt.")
    await fold(views, VIEWS, record([german], after=100))
    assert await search(views, "Listen", as_of=2) == then
    assert "s-20" in await search(views, "Liste")
    assert "s-20" not in await search(views, "Liste", as_of=2)
