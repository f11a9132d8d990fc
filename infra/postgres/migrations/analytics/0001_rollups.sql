-- Daily roll-ups of the topic, and what it takes to count on. May live in a database of
-- its own (ANALYTICS_CONNECTION_URI). Days are of UTC, by when an event was recorded.

CREATE SCHEMA analytics;

CREATE TABLE analytics.progress (
    one      boolean NOT NULL DEFAULT true,
    position bigint  NOT NULL,
    event    uuid,
    at       timestamptz,
    CONSTRAINT progress_one PRIMARY KEY (one),
    CONSTRAINT progress_only CHECK (one)
) WITH (fillfactor = 50);
INSERT INTO analytics.progress (position) VALUES (0);

COMMENT ON TABLE analytics.progress IS 'every event up to position is counted, once; event is the last';

CREATE TABLE analytics.activity (
    workspace                 text   COLLATE "C" NOT NULL,
    day                       date   NOT NULL,
    messages                  bigint NOT NULL,
    copies                    bigint NOT NULL,
    message_tokens            bigint NOT NULL,
    derivations               bigint NOT NULL,
    derivations_failed        bigint NOT NULL,
    messages_derived          bigint NOT NULL,
    messages_passed_over      bigint NOT NULL,
    derivation_micros         bigint NOT NULL,
    summaries                 bigint NOT NULL,
    questions                 bigint NOT NULL,
    dreams                    bigint NOT NULL,
    derivation_micros_longest bigint NOT NULL,
    CONSTRAINT activity_day PRIMARY KEY (workspace, day)
) WITH (fillfactor = 70);
CREATE INDEX activity_by_day ON analytics.activity (day);

COMMENT ON COLUMN analytics.activity.copies IS 'messages that a cloned session repeats; not among messages';
COMMENT ON COLUMN analytics.activity.derivation_micros IS 'from when each derived message was recorded to when its derivation was, of all together';

CREATE TABLE analytics.active_peer (
    workspace text   COLLATE "C" NOT NULL,
    day       date   NOT NULL,
    peer      text   COLLATE "C" NOT NULL,
    messages  bigint NOT NULL,
    CONSTRAINT active_peer_day PRIMARY KEY (workspace, day, peer)
) WITH (fillfactor = 70);

CREATE TABLE analytics.conclusions (
    workspace  text   COLLATE "C" NOT NULL,
    day        date   NOT NULL,
    level      text   COLLATE "C" NOT NULL,
    derived    bigint NOT NULL,
    reinforced bigint NOT NULL,
    retracted  bigint NOT NULL,
    reinstated bigint NOT NULL,
    CONSTRAINT conclusions_day PRIMARY KEY (workspace, day, level)
) WITH (fillfactor = 70);

CREATE TABLE analytics.models (
    workspace   text   COLLATE "C" NOT NULL,
    day         date   NOT NULL,
    transport   text   COLLATE "C" NOT NULL,
    model       text   COLLATE "C" NOT NULL,
    calls       bigint NOT NULL,
    failed      bigint NOT NULL,
    requests    bigint NOT NULL,
    input       bigint NOT NULL,
    output      bigint NOT NULL,
    cached      bigint NOT NULL,
    cost_micros bigint NOT NULL,
    unpriced    bigint NOT NULL,
    CONSTRAINT models_day PRIMARY KEY (workspace, day, transport, model)
) WITH (fillfactor = 70);

CREATE TABLE analytics.latency (
    workspace text     COLLATE "C" NOT NULL,
    day       date     NOT NULL,
    doubling  smallint NOT NULL,
    messages  bigint   NOT NULL,
    CONSTRAINT latency_day PRIMARY KEY (workspace, day, doubling)
) WITH (fillfactor = 70);

COMMENT ON COLUMN analytics.latency.doubling IS 'derived within 2^doubling milliseconds, and not within half of that';

-- The position of the last event that changed anything of a day.
CREATE TABLE analytics.changed (
    day      date   NOT NULL,
    position bigint NOT NULL,
    CONSTRAINT changed_day PRIMARY KEY (day)
) WITH (fillfactor = 50);

-- What later events only name: messages that wait to be derived, the level of each
-- conclusion, and calls of models, which may be told twice.
CREATE TABLE analytics.waiting (
    workspace text        COLLATE "C" NOT NULL,
    session   text        COLLATE "C" NOT NULL,
    seq       bigint      NOT NULL,
    at        timestamptz NOT NULL,
    CONSTRAINT waiting_message PRIMARY KEY (workspace, session, seq)
);

CREATE TABLE analytics.level (
    workspace  text COLLATE "C" NOT NULL,
    conclusion text COLLATE "C" NOT NULL,
    session    text COLLATE "C",
    level      text COLLATE "C" NOT NULL,
    CONSTRAINT level_conclusion PRIMARY KEY (workspace, conclusion)
);
CREATE INDEX level_of_session ON analytics.level (workspace, session);

CREATE TABLE analytics.call (
    workspace text COLLATE "C" NOT NULL,
    id        text COLLATE "C" NOT NULL,
    CONSTRAINT call_id PRIMARY KEY (workspace, id)
);
