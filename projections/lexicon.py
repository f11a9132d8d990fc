"""How often words occur in a workspace: what makes a rare word weigh more (BM25)."""

from collections.abc import Sequence

from domain.recorded import Recorded
from domain.session import MessageAdded
from projections.ports import Connection


class Lexicon:
    """The tables ``lexeme`` and ``corpus``, counted over all messages of a tenant.

    ``lexeme.documents`` is how many messages contain a stem; ``corpus.documents``
    how many messages there are and ``corpus.words`` the sum of their distinct stems.
    ``folded`` is the last position counted, so that nothing counts twice. The stems
    are read from ``message``, which must be ahead of this view.
    """

    name = "lexicon"
    version = 1
    tables = """
        CREATE TABLE lexeme (
            tenant    text COLLATE "C" NOT NULL,
            word      text COLLATE "C" NOT NULL,
            documents integer NOT NULL,
            PRIMARY KEY (tenant, word)
        ) WITH (fillfactor = 80);
        CREATE TABLE corpus (
            tenant    text COLLATE "C" NOT NULL,
            documents integer NOT NULL,
            words     bigint NOT NULL,
            folded    bigint NOT NULL,
            PRIMARY KEY (tenant)
        ) WITH (fillfactor = 50);
    """
    indexes = ""
    handles = (MessageAdded,)

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        await db.execute(
            _COUNT, [r.event.workspace for r in batch], [r.position for r in batch]
        )


_COUNT = """
    WITH given AS MATERIALIZED (
        SELECT m.tenant, m.position, m.words
        FROM unnest($1::text[], $2::bigint[]) AS g(tenant, position)
        JOIN message AS m ON m.tenant = g.tenant AND m.position = g.position
        LEFT JOIN corpus AS c ON c.tenant = g.tenant
        WHERE g.position > coalesce(c.folded, 0)
    ), counted AS (
        INSERT INTO lexeme AS l (tenant, word, documents)
        SELECT g.tenant, w.lexeme, count(*)
        FROM given AS g CROSS JOIN LATERAL unnest(g.words) AS w
        GROUP BY g.tenant, w.lexeme
        ON CONFLICT (tenant, word) DO UPDATE
            SET documents = l.documents + excluded.documents
    )
    INSERT INTO corpus AS c (tenant, documents, words, folded)
    SELECT tenant, count(*), sum(length(words)), max(position) FROM given
    GROUP BY tenant
    ON CONFLICT (tenant) DO UPDATE SET
        documents = c.documents + excluded.documents,
        words = c.words + excluded.words,
        folded = excluded.folded
"""
