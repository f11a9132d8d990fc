-- Calls of language models: written before a call and after its answer, so that it is
-- paid once (event-store.md 3e). Beside the log, never part of it: rows change and go.
CREATE TABLE log.llm_call (
    started_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    tokens       bigint      NOT NULL,
    cost         bigint,
    key_number   bigint,
    is_counted   boolean     NOT NULL DEFAULT false,
    tenant       text        COLLATE "C" NOT NULL,
    id           text        COLLATE "C" NOT NULL,
    session      text        COLLATE "C",
    key          bytea,
    request_hash bytea,
    record       bytea,
    response     bytea,
    CONSTRAINT llm_call_id PRIMARY KEY (tenant, id)
);

COMMENT ON COLUMN log.llm_call.tokens IS 'set aside while it is under way, then spent; so is cost, in millionths of a dollar';
COMMENT ON COLUMN log.llm_call.is_counted IS 'LLMCallRecorded is in the log, and in the views';
COMMENT ON COLUMN log.llm_call.record IS 'LLMCallRecorded as it is to be appended; of a call under way, that it was lost';
COMMENT ON COLUMN log.llm_call.key IS 'of the work, null where it is never done again';
COMMENT ON COLUMN log.llm_call.response IS 'sealed under the data key of that number';

CREATE INDEX llm_call_answered ON log.llm_call (tenant, key) WHERE response IS NOT NULL;
CREATE INDEX llm_call_open ON log.llm_call (tenant) WHERE NOT is_counted;
CREATE INDEX llm_call_age ON log.llm_call USING brin (started_at);

-- The last call of a workspace its budget had no room for, and what it would have taken.
CREATE TABLE log.llm_refusal (
    refused_at timestamptz NOT NULL DEFAULT now(),
    tokens     bigint      NOT NULL,
    cost       bigint      NOT NULL,
    tenant     text        COLLATE "C" NOT NULL,
    CONSTRAINT llm_refusal_tenant PRIMARY KEY (tenant)
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'palimpsest_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON log.llm_call, log.llm_refusal
            TO palimpsest_app;
    END IF;
END $$;
