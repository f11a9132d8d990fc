-- The one way into the log. One call appends a whole batch of requests; the caller's
-- transaction is READ COMMITTED, so that each statement after the lock sees all
-- that was committed before it.

-- r_*: one entry for each (request, stream), those of a request side by side.
--   r_expected: the stream's version, NULL for any; -1 for a new stream counted from 0
-- e_*: one entry for each event; e_row names its r_ entry, e_nth counts from 1 in it.
-- A request on several streams is the only one of the batch on any of them, and a
-- command id occurs in one request only: the appender sees to both.
--
-- Several requests on one stream are checked against what the earlier ones leave.
-- Once one of them fails, those that expect an exact version fail too: they were
-- decided upon it.
--
-- status: 0 appended, 1 conflict, 2 done before, 3 command id known with another hash
CREATE FUNCTION log.append(
    r_request int[], r_tenant text[], r_stream text[], r_shard smallint[],
    r_expected int[], r_count int[], r_command uuid[], r_hash bytea[], r_forever bool[],
    e_row int[], e_nth int[], e_type text[], e_id uuid[], e_meta bytea[], e_data bytea[]
) RETURNS TABLE (
    row_number int, status smallint, base int, first bigint, last bigint, at timestamptz
)
LANGUAGE plpgsql
SET enable_seqscan = off  -- a plan made while the tables are empty outlives that
SET plan_cache_mode = force_generic_plan  -- planning anew costs more than it saves
AS $$
#variable_conflict use_column
DECLARE
    head bigint;
    chained bytea;
    now timestamptz;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'log.append needs READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock(7700100);
    -- The highest event is the last of its batch, so it carries the link.
    SELECT e.position, e.link, e.recorded_at INTO head, chained, now
        FROM log.event e ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    chained := coalesce(chained, decode(repeat('00', 32), 'hex'));
    now := greatest(clock_timestamp(), now);  -- a clock may step back
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT u.k::int AS k, q, t, s, sh, x, n, c, h, f,
            (SELECT max(e.version) FROM log.event e WHERE e.stream = s) AS found,
            seen.first AS seen_first, seen.last AS seen_last,
            CASE WHEN seen.request_hash IS NULL THEN 0
                 WHEN seen.request_hash = h THEN 2 ELSE 3 END AS known
        FROM unnest(r_request, r_tenant, r_stream, r_shard, r_expected, r_count,
                    r_command, r_hash, r_forever)
            WITH ORDINALITY AS u (q, t, s, sh, x, n, c, h, f, k)
        LEFT JOIN LATERAL (
            SELECT cm.first, cm.last, cm.request_hash FROM log.command cm
            WHERE cm.tenant = t AND cm.id = c LIMIT 1
        ) seen ON c IS NOT NULL
    ), placed AS (
        SELECT *,
            CASE WHEN x = -1 AND found IS NULL THEN -1 ELSE coalesce(found, 0) END AS v,
            coalesce(sum(n) OVER (PARTITION BY s ORDER BY k
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS earlier
        FROM asked
    ), checked AS (
        SELECT *, known = 0 AND NOT coalesce(bool_or(known > 0 OR x <> v + earlier)
            OVER (PARTITION BY s ORDER BY k) AND x IS NOT NULL, false) AS fits
        FROM placed
    ), verdict AS (
        SELECT *, CASE WHEN known > 0 THEN known
            WHEN bool_and(fits) OVER (PARTITION BY q) THEN 0 ELSE 1 END AS st
        FROM checked
    ), live AS MATERIALIZED (
        SELECT *,
            (v + sum(n) OVER (PARTITION BY s ORDER BY k) - n)::int AS from_version,
            head + (sum(n) OVER (ORDER BY k))::bigint - n AS from_position
        FROM verdict WHERE st = 0
    ), fresh AS MATERIALIZED (
        SELECT from_position + nth AS position, from_version + nth AS version,
            l.t, l.s, l.sh, y.ty, y.id, y.me, y.da,
            -- Every column; the texts and bytes with their lengths before them.
            sha256(int8send(from_position + nth) || timestamptz_send(now)
                || uuid_send(y.id) || int4send(from_version + nth) || int2send(l.sh)
                || int4send(octet_length(l.s)) || int4send(octet_length(l.t))
                || int4send(octet_length(y.ty)) || int4send(octet_length(y.me))
                || int4send(octet_length(y.da)) || convert_to(l.s || l.t || y.ty, 'UTF8')
                || y.me || y.da) AS digest
        FROM unnest(e_row, e_nth, e_type, e_id, e_meta, e_data)
            AS y (rw, nth, ty, id, me, da)
        JOIN live l ON l.k = y.rw
    ), chain AS MATERIALIZED (
        SELECT sha256(chained || string_agg(digest, ''::bytea ORDER BY position)) AS link,
            max(position) AS position
        FROM fresh
    ), grown AS (
        INSERT INTO log.event (position, recorded_at, id, version, shard, stream, tenant,
                               type, meta, data, link)
        SELECT f.position, now, f.id, f.version, f.sh, f.s, f.t, f.ty, f.me, f.da,
            CASE WHEN f.position = (SELECT position FROM chain)
                 THEN (SELECT link FROM chain) END
        FROM fresh f
    ), remembered AS (
        INSERT INTO log.command (first, last, at, id, forever, tenant, request_hash)
        SELECT min(from_position) + 1, max(from_position + n), now, c, bool_or(f), t,
            min(h)
        FROM live WHERE c IS NOT NULL GROUP BY q, t, c
    )
    SELECT r.k, r.st::smallint, coalesce(l.from_version, r.found, 0),
        CASE WHEN r.st = 0 THEN l.from_position + 1 ELSE r.seen_first END,
        CASE WHEN r.st = 0 THEN l.from_position + l.n ELSE r.seen_last END,
        now
    FROM verdict r LEFT JOIN live l ON l.k = r.k
    ORDER BY r.k;
END $$;
