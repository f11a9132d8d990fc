-- Data keys, wrapped by the master key. May live in a database of its own
-- (KEYS_CONNECTION_URI), whose backups are kept for a short time only.

CREATE SCHEMA secret;

-- Numbers are random and never given twice, so what a destroyed key sealed can never
-- meet a later key, not even after this table was restored from a backup.
CREATE TABLE secret.data_key (
    number       bigint      NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    tenant       text        COLLATE "C" NOT NULL,
    session      text        COLLATE "C" NOT NULL,  -- '' for none
    subject      text        COLLATE "C" NOT NULL,  -- '*' for everyone
    wrapped      bytea,                             -- NULL once destroyed
    CONSTRAINT data_key_number PRIMARY KEY (number),
    CONSTRAINT data_key_gone CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

CREATE UNIQUE INDEX data_key_in_use ON secret.data_key (tenant, session, subject)
    WHERE wrapped IS NOT NULL;

-- What the running server may do, where it is a role of its own (infra/postgres/role.py).
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'palimpsest_app') THEN
        RETURN;
    END IF;
    GRANT USAGE ON SCHEMA secret TO palimpsest_app;
    GRANT SELECT, INSERT ON secret.data_key TO palimpsest_app;
    GRANT UPDATE (wrapped, destroyed_at) ON secret.data_key TO palimpsest_app;
END $$;
