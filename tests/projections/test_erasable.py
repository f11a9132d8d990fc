"""Whatever a view shows, what is erased goes from it."""

from domain.conclusion import EVIDENCE_ERASED, ConclusionRetracted
from domain.erasure import SessionErased, WorkspaceErased
from infra.proof.comparison import tables_of
from projections.erasable import Erasable
from projections.registry import LAGGING, PROMPT
from tests.support.folding import create, fold
from tests.support.history import record
from tests.support.story import (
    NOON,
    concluded,
    joined,
    peer,
    rests_on,
    said,
    session,
    summed_up,
    workspace,
)
from tests.support.tables import contents_of

VIEWS = (*PROMPT, *LAGGING)
LISTED = {"vector_collection"}
"""Tables that tell of no one."""

TEA, ROWING = said(1, "I like tea"), said(1, "I row", session="t")
STORY = (
    workspace(),
    peer("alice"),
    session("s"),
    joined("s", "alice"),
    TEA,
    concluded("c1", "alice likes tea", evidence=rests_on(TEA)),
    summed_up("short", 1, 3),
)
OTHER = (
    session("t"),
    joined("t", "alice"),
    ROWING,
    concluded("c2", "alice rows", session="t", evidence=rests_on(ROWING)),
)
ERASED = SessionErased(workspace="w", session="s", erased_at=NOON, through=0)


async def test_every_view_can_be_erased_from(db):
    assert all(isinstance(view, Erasable) for view in VIEWS)
    await create(db, VIEWS)
    rows = await db.fetch(
        "SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n"
        " ON n.oid = c.relnamespace WHERE n.nspname = 'view' AND c.relkind = 'r'"
        " AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid"
        " AND a.attname = 'tenant')"
    )
    assert {row["relname"] for row in rows} == LISTED


async def test_views_without_an_erased_session_are_as_if_it_had_never_been(db):
    await create(db, VIEWS)
    await fold(db, VIEWS, record([*STORY, *OTHER, ERASED]))
    left = await without_positions(db)
    for table in await tables_of(db, "view"):
        await db.execute(f'DELETE FROM "{table}"')  # noqa: S608  from the catalogue
    await fold(db, VIEWS, record([workspace(), peer("alice"), *OTHER]))
    assert left == await without_positions(db)


async def test_the_next_session_of_the_id_has_only_its_own(db):
    await create(db, VIEWS)
    await fold(db, VIEWS, record([*STORY, ERASED, session("s", uid="next"), TEA]))
    [row] = await db.fetch("SELECT uid, to_position FROM session")
    assert tuple(row) == ("next", None)
    assert await db.fetchval("SELECT count(*) FROM message") == 1
    assert await db.fetchval("SELECT count(*) FROM conclusion") == 0
    assert await db.fetchval("SELECT documents FROM lexeme WHERE word = 'tea'") == 1


async def test_a_conclusion_whose_evidence_was_erased_leaves_no_row(db):
    await create(db, VIEWS)
    gone = ConclusionRetracted(
        workspace="w", session="t", id="c2", reason=EVIDENCE_ERASED, actor="x"
    )
    await fold(db, VIEWS, record([*STORY, *OTHER, gone]))
    rows = await db.fetch("SELECT origin FROM conclusion")
    assert {row["origin"] for row in rows} == {"c1"}
    assert await db.fetchval("SELECT count(*) FROM evidence") == 1


async def test_nothing_is_left_of_an_erased_workspace_and_others_stay(db):
    await create(db, VIEWS)
    gone = WorkspaceErased(workspace="w", erased_at=NOON, through=0)
    await fold(db, VIEWS, record([*STORY, workspace("v"), *OTHER, gone]))
    left = {
        name: rows for name, rows in (await contents_of(db, "view")).items() if rows
    }
    assert list(left) == ["workspace"]
    assert await db.fetchval("SELECT tenant FROM workspace") == "v"


async def without_positions(db):
    """Return all rows, without what tells where in the log they come from."""
    placed = {
        "position", "from_position", "to_position", "folded", "born", "created_at",
        "recorded_at", "last_position", "derived_position", "oldest_pending_at",
    }  # fmt: skip
    found = {}
    for table in await tables_of(db, "view"):
        rows = await db.fetch(f'SELECT * FROM "{table}"')  # noqa: S608  from the catalogue
        kept = [{k: v for k, v in row.items() if k not in placed} for row in rows]
        found[table] = sorted(map(str, kept))
    return found
