-- Most requests now look at streams they add nothing to: nothing is decided upon what
-- another process has changed. So requests that add to one stream, and look at others,
-- share a commit; only of a request that adds to several there is one on any of them.
--
-- log.append as in 0005, but for what a request that is not appended breaks for those
-- after it in its batch: all that it would have added to, whichever stream it failed
-- for, and of what it only looked at that which was not as expected.
CREATE OR REPLACE FUNCTION log.append(
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
                -- What it would have added is believed by those after it; what it only
                -- looked at is as it was.
                broken[entry] := broken[entry] OR r_count[entry] > 0;
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
        SELECT x.*, log.digest(x.place, at, x.id, x.version, x.sh, x.s, x.t, x.ty, x.me,
                               x.da) AS digest
        FROM (
            SELECT positions[y.entry] + y.nth AS place, bases[y.entry] + y.nth AS version,
                r_stream[y.entry] AS s, r_tenant[y.entry] AS t, r_shard[y.entry] AS sh,
                y.ty, y.id, y.me, y.da
            FROM unnest(e_row, e_nth, e_type, e_id, e_meta, e_data)
                AS y (entry, nth, ty, id, me, da)
            WHERE positions[y.entry] IS NOT NULL
        ) AS x
    ), chain AS MATERIALIZED (
        SELECT sha256(chained || string_agg(f.digest, ''::bytea ORDER BY f.place))
            AS link FROM fresh f
    )
    INSERT INTO log.event (position, recorded_at, id, version, shard, stream, tenant,
                           type, meta, data, link, digest)
    SELECT f.place, at, f.id, f.version, f.sh, f.s, f.t, f.ty, f.me, f.da,
        CASE WHEN f.place = reached THEN (SELECT c.link FROM chain c) END, f.digest
    FROM fresh f;
END $$;
