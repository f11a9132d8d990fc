-- Generations of the topic, and how far each processor came in each range of shards.

-- A generation is filled from the log, is full when it has nearly all, serves, and is
-- ended at a position: no relay writes to it beyond, and consumers go on in the next
-- one once they are there.
CREATE TABLE work.topic (
    base       text        COLLATE "C" NOT NULL,
    generation integer     NOT NULL,
    topic      text        COLLATE "C" NOT NULL,
    partitions integer     NOT NULL,
    state      text        COLLATE "C" NOT NULL,
    position   bigint      NOT NULL DEFAULT 0,
    tails      bigint[]    NOT NULL DEFAULT '{}',
    ended_at   bigint,
    made_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT topic_generation PRIMARY KEY (base, generation),
    CONSTRAINT topic_state_known CHECK
        (state IN ('filling', 'full', 'serving', 'ended', 'lost')),
    CONSTRAINT topic_ended CHECK ((state = 'ended') = (ended_at IS NOT NULL))
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX topic_serving ON work.topic (base) WHERE state = 'serving';

COMMENT ON COLUMN work.topic.base IS 'KAFKA_TOPIC: the name of the first generation';
COMMENT ON COLUMN work.topic.position IS 'up to here everything is in the topic';
COMMENT ON COLUMN work.topic.tails IS 'position of the last record of each partition';
COMMENT ON COLUMN work.topic.state IS 'lost: its records are gone, the log is read instead';

-- Everything of shards low to high (exclusive) up to position is done or held.
CREATE TABLE work.shard_range (
    processor text     COLLATE "C" NOT NULL,
    low       smallint NOT NULL,
    high      smallint NOT NULL,
    position  bigint   NOT NULL,
    event     uuid,
    topic     text     COLLATE "C",
    part      integer,
    next      bigint,
    CONSTRAINT shard_range_low PRIMARY KEY (processor, low),
    CONSTRAINT shard_range_known CHECK (low >= 0 AND low < high AND high <= 1024)
) WITH (fillfactor = 50);

COMMENT ON COLUMN work.shard_range.next IS 'offset to go on from, if topic and part are these';

-- A processor is fed from the log as a whole, or by ranges of shards: never both.
CREATE VIEW work.stand AS
SELECT processor, position, event FROM work.checkpoint
UNION ALL
SELECT processor, position, event FROM work.shard_range;

CREATE VIEW work.progress AS
SELECT DISTINCT ON (processor) processor, position, event FROM work.stand
ORDER BY processor, position;

COMMENT ON VIEW work.progress IS 'up to position everything is done or held, whatever feeds it';

-- A parked key is told to the topic of dead letters once, and again if it parks anew.
ALTER TABLE work.held ADD COLUMN letter_at timestamptz;

COMMENT ON COLUMN work.held.letter_at IS 'when its dead letter was sent, null if it waits or none is';
