"""Messages, with the stems of their words."""

from collections.abc import Sequence

from domain.recorded import Recorded
from domain.session import MessageAdded
from projections.columns import as_json, as_text, as_utc
from projections.erasable import Erased, delete_rows
from projections.language import language_of
from projections.message_body import body_of
from projections.message_changes import CHANGES, NAMES, TABLES, apply_changes
from projections.ports import Connection
from projections.spelled import spelled


class Messages:
    """The table ``message``: one row for each message, and those of its changes.

    ``words`` are the stems of author, content and day (architecture section 6): with
    the day among them a search finds two points more of what was said when. They are
    stems of the ``language`` the settings named, or else of the one it looks like.
    ``derive`` says whether reasoning was asked for, ``recorded_at`` when it was
    written down; ``created_at`` is when it was said, as sent, ``came_at`` when the
    request came that said it: its author has joined anew then. What an erased session
    held stays in ``departed_message`` until the lexicon, which is behind, has taken it
    out of its counts.
    """

    name = "messages"
    version = 6
    tables = f"""
        CREATE TABLE message (
            tenant      text COLLATE "C" NOT NULL,
            session     text COLLATE "C" NOT NULL,
            seq         integer NOT NULL,
            id          text COLLATE "C" NOT NULL,
            peer        text COLLATE "C" NOT NULL,
            content     text NOT NULL,
            metadata    jsonb NOT NULL,
            created_at  timestamptz NOT NULL,
            recorded_at timestamptz NOT NULL,
            came_at     timestamptz NOT NULL,
            tokens      integer NOT NULL,
            derive      boolean NOT NULL,
            position    bigint NOT NULL,
            language    text COLLATE "C" NOT NULL,
            body        bytea NOT NULL,
            words       tsvector NOT NULL,
            PRIMARY KEY (tenant, session, seq)
        );
        CREATE UNIQUE INDEX message_id ON message (tenant, id);
        CREATE INDEX message_position ON message (tenant, position);
        CREATE TABLE departed_message (
            tenant   text COLLATE "C" NOT NULL,
            session  text COLLATE "C" NOT NULL,
            position bigint NOT NULL,
            words    tsvector NOT NULL,
            PRIMARY KEY (tenant, position)
        );
        {TABLES}
    """
    indexes = """
        CREATE INDEX message_words ON message USING gin (words)
            WITH (gin_pending_list_limit = 16384);
        CREATE INDEX message_language ON message (tenant, language, position)
            WHERE language <> 'english';
    """
    handles = (MessageAdded, *CHANGES)
    commutes = True
    unused = ("message_position",)  # by this fold; the lexicon's looks up by it
    together = ("lexicon",)  # which alone empties ``departed_message``

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        sent = [
            (
                event.workspace,
                event.session,
                event.seq,
                event.id,
                event.author,
                (content := as_text(event.content)),
                as_json(event.metadata) if event.metadata else "{}",
                as_utc(event.created_at),
                recorded.recorded_at,
                as_utc(event.received_at or event.created_at),
                event.tokens,
                event.derive,
                recorded.position,
                event.language or language_of(content),
                body_of(event),
                None if (apart := spelled(content)) == content else apart,
            )
            for recorded in batch
            if isinstance(event := recorded.event, MessageAdded)
        ]
        if sent:
            await db.execute(_INSERT, *map(list, zip(*sent, strict=True)))
        await apply_changes(db, batch)

    async def erase(self, db: Connection, erased: Erased) -> None:
        """Take the messages out, leaving their words to be uncounted."""
        if erased.session is not None:
            named = (erased.tenant, erased.session, erased.position)
            await db.execute(_DEPART, *named)
        else:
            await delete_rows(db, "message", erased)
        for table in NAMES:
            await delete_rows(db, table, erased)


_DEPART = """
    WITH gone AS (
        DELETE FROM message
        WHERE tenant = $1 AND session = $2 AND position < $3
        RETURNING tenant, session, position, words
    )
    INSERT INTO departed_message (tenant, session, position, words)
    SELECT * FROM gone ON CONFLICT DO NOTHING
"""

_INSERT = """
    INSERT INTO message (tenant, session, seq, id, peer, content, metadata, created_at,
                         recorded_at, came_at, tokens, derive, position, language,
                         body, words)
    SELECT g.tenant, g.session, g.seq, g.id, g.peer, g.content, g.metadata,
        g.created_at, g.recorded_at, g.came_at, g.tokens, g.derive, g.position,
        g.language, g.body, to_tsvector(g.language::regconfig, g.peer || ' '
            || coalesce(g.spelled, g.content) || ' '
            || to_char(g.created_at AT TIME ZONE 'UTC', 'FMDD FMMonth YYYY'))
    FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[],
                $7::jsonb[], $8::timestamptz[], $9::timestamptz[],
                $10::timestamptz[], $11::int[], $12::boolean[], $13::bigint[],
                $14::text[], $15::bytea[], $16::text[])
        AS g(tenant, session, seq, id, peer, content, metadata, created_at, recorded_at,
             came_at, tokens, derive, position, language, body, spelled)
    ON CONFLICT DO NOTHING
"""
