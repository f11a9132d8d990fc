-- The log: events, the commands they answer, and vectors recorded beside them.
-- Nothing in here is ever updated; see architecture section 2.

CREATE SCHEMA log;
CREATE SCHEMA work;

-- Fixed-width columns first, so that a row has no padding.
CREATE TABLE log.event (
    position    bigint      NOT NULL,
    recorded_at timestamptz NOT NULL,
    id          uuid        NOT NULL,
    version     integer     NOT NULL,
    shard       smallint    NOT NULL,
    stream      text        COLLATE "C" NOT NULL,
    tenant      text        COLLATE "C" NOT NULL,
    type        text        COLLATE "C" NOT NULL,
    meta        bytea       NOT NULL,
    data        bytea       NOT NULL,
    link        bytea,
    CONSTRAINT event_position PRIMARY KEY (position),
    CONSTRAINT event_stream_version UNIQUE (stream, version),
    CONSTRAINT event_position_counts CHECK (position > 0),
    CONSTRAINT event_shard_known CHECK (shard BETWEEN 0 AND 1023)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

CREATE INDEX event_recorded_at ON log.event USING brin (recorded_at);

COMMENT ON COLUMN log.event.position IS 'dense, commit-ordered, from 1';
COMMENT ON COLUMN log.event.version IS 'counts within the stream, from 1';
COMMENT ON COLUMN log.event.link IS
    'on the last event of each commit: sha256(previous link || digests of the batch)';

CREATE FUNCTION log.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of log.% is refused: the log only grows', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER event_only_grows
    BEFORE UPDATE OR DELETE OR TRUNCATE ON log.event
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();
-- ALWAYS: also in a session that says it replays somebody else's changes.
ALTER TABLE log.event ENABLE ALWAYS TRIGGER event_only_grows;

CREATE TABLE log.command (
    first        bigint      NOT NULL,
    last         bigint      NOT NULL,
    at           timestamptz NOT NULL,
    id           uuid        NOT NULL,
    forever      boolean     NOT NULL,
    tenant       text        COLLATE "C" NOT NULL,
    request_hash bytea       NOT NULL,
    CONSTRAINT command_id PRIMARY KEY (tenant, id)
);

CREATE INDEX command_at ON log.command USING brin (at);

CREATE FUNCTION log.keep_forever() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.forever THEN
        RAISE EXCEPTION 'DELETE of a lasting command is refused'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN OLD;
END $$;

CREATE TRIGGER command_never_changes
    BEFORE UPDATE OR TRUNCATE ON log.command
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();
CREATE TRIGGER command_may_last
    BEFORE DELETE ON log.command
    FOR EACH ROW EXECUTE FUNCTION log.keep_forever();

-- A text's vector, computed once for each (model, keyed hash of the text).
CREATE TABLE log.embedding (
    created_at  timestamptz NOT NULL DEFAULT now(),
    tenant      text        COLLATE "C" NOT NULL,
    model       text        COLLATE "C" NOT NULL,
    fingerprint text        COLLATE "C" NOT NULL,
    vector      bytea       NOT NULL,
    CONSTRAINT embedding_text PRIMARY KEY (tenant, model, fingerprint)
);
-- A vector is high-entropy: trying to compress it only costs time.
ALTER TABLE log.embedding ALTER COLUMN vector SET STORAGE EXTERNAL;

-- How far a reader of another application came: eventsourcing's Tracking.
CREATE TABLE work.tracking (
    application text   COLLATE "C" NOT NULL,
    position    bigint NOT NULL,
    CONSTRAINT tracking_application PRIMARY KEY (application)
) WITH (fillfactor = 50);

-- What the running server may do, where it is a role of its own (infra/postgres/role.py).
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'palimpsest_app') THEN
        RETURN;
    END IF;
    GRANT USAGE ON SCHEMA log, work TO palimpsest_app;
    GRANT SELECT, INSERT ON log.event, log.command, log.embedding TO palimpsest_app;
    GRANT DELETE ON log.command TO palimpsest_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON work.tracking TO palimpsest_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA work
        GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO palimpsest_app;
END $$;
