"""How often words occur in a workspace: what makes a rare word weigh more (BM25)."""

from collections.abc import Sequence

from domain.erasure import SessionErased, WorkspaceErased
from domain.recorded import Recorded
from domain.session import MessageAdded
from projections.erasable import Erased, delete_rows
from projections.ports import Connection


class Lexicon:
    """The tables ``lexeme`` and ``corpus``, counted over all messages of a tenant.

    ``lexeme.documents`` is how many messages contain a stem; ``corpus.documents``
    how many messages there are and ``corpus.words`` the sum of their distinct stems.
    ``folded`` is the last position counted, so that nothing counts twice. The stems
    are read from ``message``, which must be ahead of this view; those of an erased
    session from ``departed_message``, which is emptied as they are uncounted.
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
    together = ("messages",)  # what is erased from there could not be counted

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        await db.execute(
            _COUNT, [r.event.workspace for r in batch], [r.position for r in batch]
        )

    async def erase(self, db: Connection, erased: Erased) -> None:
        """Uncount the messages of a session, or forget the whole workspace."""
        if erased.origin is not None:
            return
        if erased.session is None:
            await db.execute(_FORGET, erased.tenant, erased.position)
            for table in ("corpus", "departed_message"):
                await delete_rows(db, table, erased)
            return
        named = (erased.tenant, erased.session, erased.position)
        for statement in (_RARE, _UNCOUNT, _SHRINK, _DEPARTED):
            await db.execute(statement, *named)

    async def recount(self, db: Connection, ends: Sequence[Recorded]) -> None:
        """Count all messages at once: a word costs a tenth of what it does in turn."""
        sessions = [r for r in ends if isinstance(r.event, SessionErased)]
        wholes = [r for r in ends if isinstance(r.event, WorkspaceErased)]
        for each in wholes:
            await db.execute(
                "DELETE FROM departed_message WHERE tenant = $1 AND position < $2",
                each.tenant,
                each.position,
            )
        await db.execute(
            _CORPUS, [r.tenant for r in sessions], [r.position for r in sessions]
        )
        await db.execute(_LEXEMES)
        await db.execute("DELETE FROM departed_message")


# Begun by the first message there was; an erased session later moves it on.
_CORPUS = """
    WITH said AS (
        SELECT tenant, position, words, TRUE AS here FROM message
        UNION ALL
        SELECT tenant, position, words, FALSE FROM departed_message
    ), counted AS (
        SELECT tenant, min(position) AS first, max(position) AS last,
            count(*) FILTER (WHERE here) AS documents,
            coalesce(sum(length(words)) FILTER (WHERE here), 0) AS words
        FROM said GROUP BY tenant
    )
    INSERT INTO corpus (tenant, documents, words, folded)
    SELECT c.tenant, c.documents, c.words, greatest(c.last, (
        SELECT max(e.position) FROM unnest($1::text[], $2::bigint[])
            AS e(tenant, position)
        WHERE e.tenant = c.tenant AND e.position > c.first))
    FROM counted AS c
"""

_LEXEMES = """
    INSERT INTO lexeme (tenant, word, documents)
    SELECT tenant, word, count(*)
    FROM (
        SELECT tenant, unnest(tsvector_to_array(words)) AS word FROM message
    ) AS m
    GROUP BY tenant, word ORDER BY tenant COLLATE "C", word COLLATE "C"
"""

_GONE = """
    WITH gone AS MATERIALIZED (
        SELECT w.lexeme AS word, count(*) AS documents
        FROM departed_message AS d CROSS JOIN LATERAL unnest(d.words) AS w
        WHERE d.tenant = $1 AND d.session = $2 AND d.position < $3
            AND EXISTS (SELECT FROM corpus AS c WHERE c.tenant = $1 AND c.folded < $3)
        GROUP BY w.lexeme
    )
"""

_FORGET = """
    DELETE FROM lexeme AS l USING corpus AS c
    WHERE l.tenant = $1 AND c.tenant = $1 AND c.folded < $2
"""

_RARE = f"""{_GONE}
    DELETE FROM lexeme AS l USING gone AS g
    WHERE l.tenant = $1 AND l.word = g.word AND l.documents <= g.documents
"""  # noqa: S608  constants

_UNCOUNT = f"""{_GONE}
    UPDATE lexeme AS l SET documents = l.documents - g.documents FROM gone AS g
    WHERE l.tenant = $1 AND l.word = g.word
"""  # noqa: S608  constants

_SHRINK = """
    UPDATE corpus AS c SET
        documents = c.documents - g.documents, words = c.words - g.words, folded = $3
    FROM (
        SELECT count(*)::int AS documents, coalesce(sum(length(words)), 0) AS words
        FROM departed_message
        WHERE tenant = $1 AND session = $2 AND position < $3
    ) AS g
    WHERE c.tenant = $1 AND c.folded < $3
"""

_DEPARTED = """
    DELETE FROM departed_message
    WHERE tenant = $1 AND session = $2 AND position < $3
"""

_COUNT = """
    WITH given AS MATERIALIZED (
        SELECT m.tenant, m.position, m.words
        FROM unnest($1::text[], $2::bigint[]) AS g(tenant, position)
        CROSS JOIN LATERAL (
            SELECT tenant, position, words FROM message
            WHERE tenant = g.tenant AND position = g.position
            UNION ALL
            SELECT tenant, position, words FROM departed_message
            WHERE tenant = g.tenant AND position = g.position
        ) AS m
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
