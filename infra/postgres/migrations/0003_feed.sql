-- How far each processor came, and which ordering keys wait on their own.

-- Everything up to position is done or held for this processor.
CREATE TABLE work.checkpoint (
    processor text   COLLATE "C" NOT NULL,
    position  bigint NOT NULL,
    event     uuid,
    CONSTRAINT checkpoint_processor PRIMARY KEY (processor)
) WITH (fillfactor = 50);

-- A key that waits: its events from position on, up to the checkpoint, are not done.
CREATE TABLE work.held (
    processor    text        COLLATE "C" NOT NULL,
    ordering_key text        COLLATE "C" NOT NULL,
    tenant       text        COLLATE "C" NOT NULL,
    position     bigint      NOT NULL,
    attempts     integer     NOT NULL DEFAULT 1,
    state        text        COLLATE "C" NOT NULL,
    reason       text        NOT NULL,
    held_at      timestamptz NOT NULL DEFAULT now(),
    due_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT held_key PRIMARY KEY (processor, ordering_key),
    CONSTRAINT held_state_known CHECK (state IN ('retry', 'parked'))
);

COMMENT ON TABLE work.held IS 'reason names a cause, never what somebody said';
