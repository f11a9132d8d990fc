-- Dead letters that wait to be sent: written before a processor's position moves past
-- what they are about, so that none is lost, and nobody waits for the brokers.
CREATE TABLE work.letter (
    id         uuid        NOT NULL,
    key        bytea,
    value      bytea,
    headers    bytea       NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT letter_id PRIMARY KEY (id)
);

COMMENT ON COLUMN work.letter.due_at IS 'until then somebody else is sending it';
COMMENT ON COLUMN work.held.letter_at IS 'when its dead letter was written, null if none is';
