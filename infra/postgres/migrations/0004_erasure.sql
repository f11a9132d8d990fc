-- Vectors of erased texts go with them; events never do (architecture section 2).
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'palimpsest_app') THEN
        GRANT DELETE ON log.embedding TO palimpsest_app;
    END IF;
END $$;
