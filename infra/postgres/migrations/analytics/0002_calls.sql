-- The log has each call once, so nothing is kept of those that were counted.
DROP TABLE analytics.call;

COMMENT ON TABLE analytics.waiting IS 'as many rows as messages wait to be derived';
COMMENT ON TABLE analytics.level IS 'a row for each conclusion of a session that is not erased: what is retracted, reinforced or reinstated later is named by its id only, and may be at any time';
