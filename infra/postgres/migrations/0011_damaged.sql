-- Events that were to be opened for the topic and could not be: their records have them
-- as they are stored, and say so.
CREATE TABLE work.damaged (
    topic    text        COLLATE "C" NOT NULL,
    position bigint      NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT damaged_event PRIMARY KEY (topic, position)
);

COMMENT ON TABLE work.damaged IS 'noted before the record is written: none is left out';
