-- Consumers that keep their position somewhere else, as they told it last.
CREATE TABLE work.consumer (
    name     text        COLLATE "C" NOT NULL,
    kind     text        COLLATE "C" NOT NULL,
    position bigint      NOT NULL,
    seen_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT consumer_name PRIMARY KEY (name)
) WITH (fillfactor = 50);

COMMENT ON TABLE work.consumer IS 'told every few seconds while it runs: seen_at is when it was last there';
