"""What keeps the folding of empty tables quick."""

from infra.postgres.views import (
    analyze_views,
    connect_views,
    make_schema,
    make_tables,
)
from projections.registry import LAGGING, PROMPT

ALL = (*PROMPT, *LAGGING)

ENDED = """
PREPARE ended AS UPDATE conclusion AS t SET to_position = e.position
FROM (
    SELECT g.tenant COLLATE "C" AS tenant, g.id COLLATE "C" AS id, g.n,
        max(g.p) AS position
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
        AS g(tenant, id, n, p)
    GROUP BY 1, 2, 3
) AS e
WHERE t.tenant = e.tenant AND t.id = e.id AND t.from_position = e.n
"""


async def test_rows_are_looked_up_by_key_however_empty_the_table_was(log_dsn):
    """A table analysed while it is empty is scanned for ever by plans made then."""
    db = await connect_views(log_dsn, "pace")
    try:
        await make_schema(db, "pace")
        await make_tables(db, ALL)
        await db.execute("""INSERT INTO card VALUES ('w', 'a', 'b', '["x"]', 0, 1)""")
        await analyze_views(db, "pace")
        counted = dict(
            await db.fetch(
                "SELECT relname::text, reltuples FROM pg_class"
                " WHERE oid IN ('conclusion'::regclass, 'card'::regclass)"
            )
        )
        assert counted == {"card": 1.0, "conclusion": -1.0}
        await db.execute(ENDED)
        plan = await db.fetch("EXPLAIN EXECUTE ended('{}', '{}', '{}', '{}')")
    finally:
        await db.close()
    found = "\n".join(row[0] for row in plan)
    assert "Index Cond: ((tenant = e.tenant) AND (id = e.id)" in found, found
    assert "Join Filter" not in found, found
