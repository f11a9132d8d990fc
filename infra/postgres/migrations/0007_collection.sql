-- The collections of vectors there are or were, one for each model and generation.
-- One serves; what it serves since is the position its vectors were complete at.
CREATE TABLE work.collection (
    model      text        COLLATE "C" NOT NULL,
    base       text        COLLATE "C" NOT NULL,
    generation integer     NOT NULL DEFAULT 1,
    dimensions integer     NOT NULL,
    state      text        COLLATE "C" NOT NULL,
    since      bigint      NOT NULL DEFAULT 0,
    asked      jsonb       NOT NULL DEFAULT '{}',
    changed_at timestamptz NOT NULL DEFAULT now(),
    rate       float8,
    noted_at   timestamptz,
    CONSTRAINT collection_model PRIMARY KEY (model),
    CONSTRAINT collection_state_known
        CHECK (state IN ('filling', 'serving', 'former', 'dropped'))
) WITH (fillfactor = 50);

CREATE UNIQUE INDEX collection_serving ON work.collection (state)
    WHERE state = 'serving';
CREATE UNIQUE INDEX collection_filling ON work.collection (state)
    WHERE state = 'filling';

COMMENT ON TABLE work.collection IS 'asked says how a model is asked; never a key';

-- Models whose vectors were dropped: what told of them folds to nothing. A model that
-- comes back has another name.
CREATE TABLE log.dropped_model (
    model text        COLLATE "C" NOT NULL,
    at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT dropped_model_name PRIMARY KEY (model)
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'palimpsest_app') THEN
        GRANT SELECT ON log.dropped_model TO palimpsest_app;
    END IF;
END $$;
