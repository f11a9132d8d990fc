-- A generation whose topic was deleted once nobody had anything left to read in it.
ALTER TABLE work.topic
    ADD COLUMN retired_at timestamptz,
    DROP CONSTRAINT topic_state_known,
    DROP CONSTRAINT topic_ended,
    ADD CONSTRAINT topic_state_known CHECK
        (state IN ('filling', 'full', 'serving', 'ended', 'lost', 'retired')),
    ADD CONSTRAINT topic_ended CHECK
        ((state IN ('ended', 'retired')) = (ended_at IS NOT NULL)),
    ADD CONSTRAINT topic_retired CHECK ((state = 'retired') = (retired_at IS NOT NULL));
