-- The one way into the log. One call appends a whole batch of requests; the caller's
-- transaction is READ COMMITTED, so that each statement after the lock sees all
-- that was committed before it.
--
-- r_*: one entry for each (request, stream), those of a request side by side.
--   r_previous: the entry before it in this batch on the same stream, 0 for none
--   r_expected: the stream's version, NULL for any; -1 for a new stream counted from 0
-- e_*: one entry for each event; e_row names its r_ entry, e_nth counts from 1 in it.
-- A request on several streams is the only one of the batch on any of them, and a
-- command id occurs in one request only: the appender sees to both.
--
-- Several requests on one stream are checked against what the earlier ones leave.
-- Once one of them fails, those that expect an exact version fail too: they were
-- decided upon it.
--
-- Returns a row for each r_ entry. status: 0 appended, 1 conflict, 2 done before,
-- 3 command id known with another hash. base: the version before its first event.
CREATE FUNCTION log.append(
    r_request int[], r_previous int[], r_tenant text[], r_stream text[],
    r_shard smallint[], r_expected int[], r_count int[],
    r_command uuid[], r_hash bytea[], r_forever bool[],
    e_row int[], e_nth int[], e_type text[], e_id uuid[], e_meta bytea[], e_data bytea[]
) RETURNS TABLE (status smallint, base int, first bigint, last bigint, at timestamptz)
LANGUAGE plpgsql
SET enable_seqscan = off  -- a plan made while the tables are empty outlives that
SET plan_cache_mode = force_generic_plan  -- planning anew costs more than it saves
AS $$
#variable_conflict use_variable
DECLARE
    head bigint;          -- the highest position before this batch
    chained bytea;        -- and its link
    reached bigint;       -- the highest position so far
    entries int := coalesce(array_length(r_request, 1), 0);
    opening int := 1;     -- a request's first entry
    closing int;          -- and its last
    entry int;
    found int[];          -- for each entry that is first on its stream: its version
    stands int[];         -- for each entry: its stream's version after it
    broken bool[];        -- and whether a request failed on it
    bases int[];
    positions bigint[];   -- the position before its first event, NULL if not appended
    known record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'log.append needs READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    PERFORM pg_advisory_xact_lock(7700100);
    -- The highest event is the last of its batch, so it carries the link.
    SELECT e.position, e.link, e.recorded_at INTO head, chained, at
        FROM log.event e ORDER BY e.position DESC LIMIT 1;
    head := coalesce(head, 0);
    chained := coalesce(chained, decode(repeat('00', 32), 'hex'));
    at := greatest(clock_timestamp(), at);  -- a clock may step back
    reached := head;
    found := ARRAY(
        SELECT CASE u.previous WHEN 0 THEN
            (SELECT max(e.version) FROM log.event e WHERE e.stream = u.stream) END
        FROM unnest(r_stream, r_previous) AS u (stream, previous)
    );

    WHILE opening <= entries LOOP
        closing := opening;
        WHILE closing < entries AND r_request[closing + 1] = r_request[opening] LOOP
            closing := closing + 1;
        END LOOP;
        status := 0;
        first := NULL;
        last := NULL;
        IF r_command[opening] IS NOT NULL THEN
            SELECT c.first, c.last, c.request_hash INTO known FROM log.command c
                WHERE c.tenant = r_tenant[opening] AND c.id = r_command[opening];
            IF known.request_hash IS NOT NULL THEN
                status := CASE known.request_hash WHEN r_hash[opening] THEN 2 ELSE 3 END;
                first := known.first;
                last := known.last;
            END IF;
        END IF;

        FOR entry IN opening..closing LOOP
            IF r_previous[entry] > 0 THEN
                stands[entry] := stands[r_previous[entry]];
                broken[entry] := broken[r_previous[entry]];
            ELSE
                stands[entry] := found[entry];
                broken[entry] := false;
            END IF;
            bases[entry] := coalesce(
                stands[entry], CASE r_expected[entry] WHEN -1 THEN -1 ELSE 0 END);
            IF r_expected[entry] IS NOT NULL
                AND (broken[entry] OR r_expected[entry] <> bases[entry])
            THEN
                broken[entry] := true;
                IF status = 0 THEN
                    status := 1;
                END IF;
            END IF;
        END LOOP;

        FOR entry IN opening..closing LOOP
            base := bases[entry];
            IF status = 0 THEN
                positions[entry] := reached;
                stands[entry] := bases[entry] + r_count[entry];
                first := reached + 1;
                reached := reached + r_count[entry];
                last := reached;
            ELSE
                positions[entry] := NULL;
                broken[entry] := broken[entry] OR status > 1;
            END IF;
            RETURN NEXT;
        END LOOP;
        IF status = 0 AND r_command[opening] IS NOT NULL THEN
            INSERT INTO log.command (first, last, at, id, forever, tenant, request_hash)
                VALUES (positions[opening] + 1, reached, at, r_command[opening],
                        r_forever[opening], r_tenant[opening], r_hash[opening]);
        END IF;
        opening := closing + 1;
    END LOOP;

    IF reached = head THEN
        RETURN;
    END IF;
    WITH fresh AS MATERIALIZED (
        SELECT positions[y.entry] + y.nth AS place, bases[y.entry] + y.nth AS version,
            r_stream[y.entry] AS s, r_tenant[y.entry] AS t, r_shard[y.entry] AS sh,
            y.ty, y.id, y.me, y.da
        FROM unnest(e_row, e_nth, e_type, e_id, e_meta, e_data)
            AS y (entry, nth, ty, id, me, da)
        WHERE positions[y.entry] IS NOT NULL
    ), chain AS MATERIALIZED (
        -- Every column; the texts and bytes with their lengths before them.
        SELECT sha256(chained || string_agg(sha256(
            int8send(f.place) || timestamptz_send(at) || uuid_send(f.id)
                || int4send(f.version) || int2send(f.sh)
                || int4send(octet_length(f.s)) || int4send(octet_length(f.t))
                || int4send(octet_length(f.ty)) || int4send(octet_length(f.me))
                || int4send(octet_length(f.da)) || convert_to(f.s || f.t || f.ty, 'UTF8')
                || f.me || f.da
        ), ''::bytea ORDER BY f.place)) AS link FROM fresh f
    )
    INSERT INTO log.event (position, recorded_at, id, version, shard, stream, tenant,
                           type, meta, data, link)
    SELECT f.place, at, f.id, f.version, f.sh, f.s, f.t, f.ty, f.me, f.da,
        CASE WHEN f.place = reached THEN (SELECT c.link FROM chain c) END
    FROM fresh f;
END $$;
