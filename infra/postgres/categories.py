"""The categories of streams there are: the words before the first hyphen of a name."""

from typing import Final

import asyncpg

# '.' is the character after '-': the next category's first stream lies beyond it, so
# that each is found by one look into the index of streams.
_CATEGORIES: Final = """
WITH RECURSIVE category AS (
    (SELECT split_part(e.stream, '-', 1) AS name FROM log.event AS e
     ORDER BY e.stream LIMIT 1)
    UNION ALL
    SELECT (SELECT split_part(e.stream, '-', 1) FROM log.event AS e
            WHERE e.stream >= c.name || '.' ORDER BY e.stream LIMIT 1)
    FROM category AS c WHERE c.name IS NOT NULL
)
SELECT name FROM category WHERE name IS NOT NULL
"""


async def find_categories(db: asyncpg.Connection | asyncpg.Pool) -> list[str]:
    """Return every category the log has a stream of, in alphabetical order."""
    return [row["name"] for row in await db.fetch(_CATEGORIES)]
