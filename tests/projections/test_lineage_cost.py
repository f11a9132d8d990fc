"""What lineage reads is bounded, whatever statistics say of the tables."""

from datetime import UTC, datetime

from domain.conclusion import ConclusionDerived, Evidence
from domain.event import Engine
from domain.question import QuestionAnswered
from projections.answers import Answers, answers_citing
from projections.grounds import get_grounds
from projections.registry import PROMPT
from tests.support.folding import create, fold
from tests.support.history import record

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OFFLINE = Engine(name="offline", version="1")
READ = """
    SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) AS rows
    FROM pg_stat_xact_user_tables
    WHERE relname = $1 AND schemaname = current_schema()
"""


def concluded(name, **more):
    return ConclusionDerived(
        workspace="w",
        session=None,
        id=name,
        observed="alice",
        content=name,
        content_key=name,
        occurred_at=NOON,
        engine=OFFLINE,
        observer="alice",
        **more,
    )


def answered(name, *cited):
    return QuestionAnswered(
        workspace="w",
        id=name,
        peer="alice",
        target="alice",
        session=None,
        question="What?",
        answer="That.",
        conclusions=cited,
        messages=(),
        level="low",
        as_of=1,
        answered_at=NOON,
        engine=OFFLINE,
    )


async def test_evidence_is_read_at_once_where_an_index_seems_of_no_use(db):
    """One conclusion has nearly all of it, so nobody expects to find little."""
    much = tuple(Evidence(f"m{n}", "s", n) for n in range(3_000))
    names = [f"i{n}" for n in range(100)]
    built = [concluded(name, level="deductive", sources=("c",)) for name in names]
    await create(db, PROMPT)
    await fold(db, PROMPT, record([concluded("c", evidence=much), *built]))
    await db.execute("ANALYZE")
    await db.execute("SET plan_cache_mode = force_generic_plan")
    async with db.transaction():
        grounds = await get_grounds(db, "w", [*names, "c"], 25)
        read = await db.fetchval(READ, "evidence")
    assert [len(each.messages) for each in grounds] == [25] + [0] * 100
    assert (grounds[0].messages[0], grounds[0].cites) == ("m0", 3_000)
    assert read <= len(much)


async def test_the_first_answers_are_found_without_reading_all(db):
    await create(db, [Answers()])
    asked = [answered(f"a{n}", "c", "e") for n in range(3_000)]
    asked += [answered("b", "d")]
    await fold(db, [Answers()], record(asked))
    await db.execute("ANALYZE")
    async with db.transaction():
        found = await answers_citing(db, "w", ["c", "d", "e"], 10)
        read = await db.fetchval(READ, "citation")
    assert [each.id for each in found] == [f"a{n}" for n in range(10)]
    assert found[0].cited == ["c", "e"]
    assert read < 200
    assert [each.id for each in await answers_citing(db, "w", ["d"], 10)] == ["b"]
