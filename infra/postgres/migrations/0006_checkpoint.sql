-- Signed checkpoints: where the log ended, told by whoever holds a key. Nothing in here
-- is ever changed; what signs and how is infra/proof/checkpoint.py.

CREATE TABLE log.checkpoint (
    position   bigint      NOT NULL,
    made_at    timestamptz NOT NULL,
    event      uuid        NOT NULL,
    link       bytea       NOT NULL,
    public_key bytea       NOT NULL,
    signature  bytea       NOT NULL,
    CONSTRAINT checkpoint_once PRIMARY KEY (position, public_key)
);

COMMENT ON TABLE log.checkpoint IS 'event and link are those of the log at position';

CREATE TRIGGER checkpoint_only_grows
    BEFORE UPDATE OR DELETE OR TRUNCATE ON log.checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse();
ALTER TABLE log.checkpoint ENABLE ALWAYS TRIGGER checkpoint_only_grows;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'palimpsest_app') THEN
        GRANT SELECT, INSERT ON log.checkpoint TO palimpsest_app;
    END IF;
END $$;
