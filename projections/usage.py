"""Usage: what calls of models took, call by call and summed up (RS 8.6)."""

from collections.abc import Sequence
from typing import Any

from domain.call import LLMCallRecorded
from domain.recorded import Recorded
from projections.columns import as_text, as_utc
from projections.erasable import Erased, delete_rows
from projections.ports import Connection


class Usage:
    """The tables ``llm_call``, ``llm_usage`` and ``llm_spend``.

    ``llm_call`` has a row for each call: by it what comes twice is counted once. The
    others are its sums, by everything one may ask for and by day alone. ``cost`` is
    in millionths of a dollar; what had no price counts in ``unpriced`` instead.
    ``latency`` is in microseconds. ``peer`` is "" where there is none.

    No table names sessions: what was spent stays spent when one is erased.
    """

    name = "usage"
    version = 1
    tables = """
        CREATE TABLE llm_call (
            tenant      text COLLATE "C" NOT NULL,
            id          text COLLATE "C" NOT NULL,
            day         date NOT NULL,
            feature     text COLLATE "C" NOT NULL,
            peer        text COLLATE "C" NOT NULL,
            transport   text COLLATE "C" NOT NULL,
            model       text COLLATE "C" NOT NULL,
            run         text COLLATE "C" NOT NULL,
            journal     text COLLATE "C" NOT NULL,
            outcome     text COLLATE "C" NOT NULL,
            reason      text COLLATE "C" NOT NULL,
            fallback    boolean NOT NULL,
            estimated   boolean NOT NULL,
            attempts    integer NOT NULL,
            input       bigint NOT NULL,
            output      bigint NOT NULL,
            cached      bigint NOT NULL,
            reasoning   bigint NOT NULL,
            cost        bigint,
            latency     bigint NOT NULL,
            finished_at timestamptz NOT NULL,
            position    bigint NOT NULL,
            PRIMARY KEY (tenant, id)
        );
        CREATE TABLE llm_usage (
            tenant    text COLLATE "C" NOT NULL,
            day       date NOT NULL,
            feature   text COLLATE "C" NOT NULL,
            peer      text COLLATE "C" NOT NULL,
            transport text COLLATE "C" NOT NULL,
            model     text COLLATE "C" NOT NULL,
            calls     bigint NOT NULL,
            failed    bigint NOT NULL,
            attempts  bigint NOT NULL,
            input     bigint NOT NULL,
            output    bigint NOT NULL,
            cached    bigint NOT NULL,
            reasoning bigint NOT NULL,
            cost      bigint NOT NULL,
            unpriced  bigint NOT NULL,
            estimated bigint NOT NULL,
            latency   bigint NOT NULL,
            PRIMARY KEY (tenant, day, feature, peer, transport, model)
        ) WITH (fillfactor = 70);
        CREATE TABLE llm_spend (
            tenant   text COLLATE "C" NOT NULL,
            day      date NOT NULL,
            cost     bigint NOT NULL,
            tokens   bigint NOT NULL,
            unpriced bigint NOT NULL,
            PRIMARY KEY (tenant, day)
        ) WITH (fillfactor = 70);
    """
    indexes = """
        CREATE INDEX llm_call_run ON llm_call (tenant, run) WHERE run <> '';
        CREATE INDEX llm_call_journal ON llm_call (tenant, journal)
            WHERE journal <> '';
        CREATE INDEX llm_call_day ON llm_call (tenant, day);
    """
    handles = (LLMCallRecorded,)

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        rows = [
            _row(event, recorded.position)
            for recorded in batch
            if isinstance(event := recorded.event, LLMCallRecorded)
        ]
        if rows:
            await db.execute(_FOLD, *map(list, zip(*rows, strict=True)))

    async def erase(self, db: Connection, erased: Erased) -> None:
        """Forget what a workspace spent that is erased; sums are made anew."""
        if erased.session is not None or erased.origin is not None:
            return
        for table in ("llm_call", "llm_usage", "llm_spend"):
            await delete_rows(db, table, erased)
        await db.execute(_ANEW, erased.tenant)


def _row(event: LLMCallRecorded, position: int) -> tuple[Any, ...]:
    finished, usage = as_utc(event.finished_at), event.usage
    texts = (
        event.feature,
        event.peer or "",
        event.transport,
        event.model,
        event.run,
        event.journal,
        event.outcome,
        event.reason,
    )
    return (
        event.workspace,
        event.id,
        finished.date(),
        *map(as_text, texts),
        event.fallback,
        event.estimated,
        event.call.attempts,
        *(usage.get(name, 0) for name in ("input", "output", "cached", "reasoning")),
        event.call.cost_usd_micros,
        round(event.call.latency_ms * 1_000),
        finished,
        position,
    )


_SPENT = """
    INSERT INTO llm_spend AS s (tenant, day, cost, tokens, unpriced)
    SELECT tenant, day, coalesce(sum(cost), 0), sum(input + output),
        count(*) FILTER (WHERE cost IS NULL)
    FROM fresh GROUP BY tenant, day
    ON CONFLICT (tenant, day) DO UPDATE SET cost = s.cost + EXCLUDED.cost,
        tokens = s.tokens + EXCLUDED.tokens,
        unpriced = s.unpriced + EXCLUDED.unpriced
"""

_USED = """
    INSERT INTO llm_usage AS u (tenant, day, feature, peer, transport, model, calls,
        failed, attempts, input, output, cached, reasoning, cost, unpriced, estimated,
        latency)
    SELECT tenant, day, feature, peer, transport, model, count(*),
        count(*) FILTER (WHERE outcome <> 'answered'), sum(attempts), sum(input),
        sum(output), sum(cached), sum(reasoning), coalesce(sum(cost), 0),
        count(*) FILTER (WHERE cost IS NULL), count(*) FILTER (WHERE estimated),
        sum(latency)
    FROM fresh GROUP BY tenant, day, feature, peer, transport, model
    ON CONFLICT (tenant, day, feature, peer, transport, model) DO UPDATE SET
        calls = u.calls + EXCLUDED.calls, failed = u.failed + EXCLUDED.failed,
        attempts = u.attempts + EXCLUDED.attempts, input = u.input + EXCLUDED.input,
        output = u.output + EXCLUDED.output, cached = u.cached + EXCLUDED.cached,
        reasoning = u.reasoning + EXCLUDED.reasoning, cost = u.cost + EXCLUDED.cost,
        unpriced = u.unpriced + EXCLUDED.unpriced,
        estimated = u.estimated + EXCLUDED.estimated,
        latency = u.latency + EXCLUDED.latency
"""

# What is summed up are the calls that were not there: a batch that comes again, or one
# that brings a call twice, adds nothing.
_FOLD = f"""
    WITH fresh AS (
        INSERT INTO llm_call (tenant, id, day, feature, peer, transport, model, run,
            journal, outcome, reason, fallback, estimated, attempts, input, output,
            cached, reasoning, cost, latency, finished_at, position)
        SELECT * FROM unnest($1::text[], $2::text[], $3::date[], $4::text[],
            $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
            $11::text[], $12::boolean[], $13::boolean[], $14::int[], $15::bigint[],
            $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[],
            $21::timestamptz[], $22::bigint[])
        ON CONFLICT DO NOTHING
        RETURNING *
    ), spent AS ({_SPENT})
    {_USED}
"""  # noqa: S608  constants

_ANEW = f"""
    WITH fresh AS (SELECT * FROM llm_call WHERE tenant = $1), spent AS ({_SPENT})
    {_USED}
"""  # noqa: S608  constants
