"""Series of Prometheus: what is counted, by which labels, and what asking costs."""

from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from commands.ports import CommandIdentity
from domain.derivation import DerivationCompleted, DerivationFailed
from domain.event import Engine
from domain.question import QuestionAnswered
from domain.recorded import Cause, Recorded
from infra.postgres.commit import Commit
from infra.postgres.view_readers import open_view_readers
from infra.telemetry import levels
from infra.telemetry.metrics import Metrics
from infra.telemetry.observers import Answer, PageWritten
from processors.processor import Batch, Done, Park
from tests.infra.telemetry.test_emitter import call
from tests.support.log import WORKSPACE, request, said
from tests.support.projecting import projecting
from tests.support.reactions import memory, opened

__all__ = ["memory", "opened"]

ENGINE = Engine(name="openai", version="1", usage={"input": 70, "output": 7})


def recorded(event):
    return Recorded(
        position=1,
        stream="s",
        version=1,
        tenant="w",
        shard=0,
        recorded_at=datetime.now(UTC),
        id=uuid4(),
        cause=Cause(actor="t", correlation_id=uuid4()),
        event=event,
    )


def commit(*events):
    return Commit([recorded(each) for each in events], 1, 0.002)


def values(text):
    """All samples by name and labels, but for the namespace every one of them has."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            assert sample.labels["namespace"] == "school"
            labels = {k: v for k, v in sample.labels.items() if k != "namespace"}
            found[sample.name, *sorted(labels.items())] = sample.value
    return found


def of(found, name, **labels):
    return found[name, *sorted(labels.items())]


class NoDatabase:
    """A pool that is away."""

    async def fetch(self, *_):
        raise ConnectionRefusedError

    fetchval = fetch


@pytest.fixture
def metrics():
    return Metrics("school", 1)


async def shown(metrics):
    return values(await metrics.exposition(NoDatabase(), {}, set()))


async def test_series_begin_at_nothing(metrics):
    found = await shown(metrics)
    assert of(found, "palimpsest_derivations_total", outcome="failed") == 0
    tokens = {"task_type": "ingestion", "token_type": "input", "component": "total"}
    assert of(found, "deriver_tokens_processed_total", **tokens) == 0


async def test_events_are_counted_as_they_are_committed(metrics):
    metrics.committed(
        commit(
            said("one"),
            said("two"),
            DerivationFailed(
                workspace=WORKSPACE,
                session="s",
                first_seq=1,
                last_seq=2,
                attempt=1,
                error="Unavailable",
                engine=ENGINE,
            ),
            DerivationCompleted(
                workspace=WORKSPACE,
                session="s",
                first_seq=1,
                last_seq=2,
                handled={"alice": 2},
                conclusions=(),
                engine=ENGINE,
                reason="nothing-to-extract",
                refused=1,
            ),
        )
    )
    found = await shown(metrics)
    assert of(found, "messages_created_total", workspace_name=WORKSPACE) == 2
    assert of(found, "palimpsest_log_events_total", type="message-added") == 2
    assert of(found, "palimpsest_derivations_total", outcome="empty") == 1
    assert of(found, "palimpsest_derivations_total", outcome="failed") == 1
    assert of(found, "palimpsest_derivation_refused_total", what="facts") == 1
    done = {"workspace_name": WORKSPACE, "task_type": "representation"}
    assert of(found, "deriver_queue_items_processed_total", **done) == 2
    tokens = {"task_type": "ingestion", "token_type": "output", "component": "total"}
    assert of(found, "deriver_tokens_processed_total", **tokens) == 7
    assert of(found, "palimpsest_log_commit_events_count") == 1


async def test_workspaces_beyond_the_bound_count_as_one(metrics):
    for workspace in ("first", "second", "third"):
        metrics.committed(
            commit(
                QuestionAnswered(
                    workspace=workspace,
                    id="q",
                    peer="p",
                    target="p",
                    session=None,
                    question="?",
                    answer="!",
                    conclusions=(),
                    messages=(),
                    level="low",
                    as_of=1,
                    answered_at=datetime.now(UTC),
                    engine=ENGINE,
                )
            )
        )
    found = await shown(metrics)
    for name, calls in (("first", 1), ("(other)", 2)):
        labels = {"workspace_name": name, "reasoning_level": "low"}
        assert of(found, "dialectic_calls_total", **labels) == calls


async def test_requests_have_the_buckets_of_the_rules(metrics):
    told = {"method": "GET", "endpoint": "/v3/x/{y}"}
    metrics.requests.begin({})(Answer(**told, status=200, seconds=0.3))
    found = await shown(metrics)
    assert of(found, "api_requests_total", **told, status_code="200") == 1
    buckets = {
        dict(key[1:])["le"]: value
        for key, value in found.items()
        if key[0] == "api_request_duration_seconds_bucket"
    }
    assert len(buckets) == 13 + 1
    assert (buckets["0.25"], buckets["0.5"], buckets["120.0"]) == (0, 1, 1)


async def test_deliveries_are_told_by_outcome(metrics):
    for outcome in (Done(), Park("ValueError"), None):
        metrics.deliveries.begin("derive", Batch("w/s", ()))(outcome)
    found = await shown(metrics)
    for word in ("done", "park", "broken_off"):
        labels = {"consumer": "derive", "outcome": word}
        assert of(found, "palimpsest_deliveries_total", **labels) == 1


async def test_what_the_relay_wrote_is_counted(metrics):
    relay = metrics.relay()
    relay.written(PageWritten(events=3, size=900, seconds=0.004))
    relay.written(PageWritten(events=2, size=600, seconds=0.03))
    relay.failed("KafkaTimeoutError")
    found = await shown(metrics)
    assert of(found, "palimpsest_relay_events_total") == 5
    assert of(found, "palimpsest_relay_bytes_total") == 1_500
    assert of(found, "palimpsest_relay_page_seconds_count") == 2
    assert of(found, "palimpsest_relay_failures_total", reason="KafkaTimeoutError") == 1


async def test_where_the_database_is_away_there_are_counters_and_no_levels(metrics):
    found = await shown(metrics)
    assert not [key for key in found if key[0] == "palimpsest_log_head"]
    assert [key for key in found if key[0] == "palimpsest_derivations_total"]


async def test_what_models_took_is_counted_by_what_they_were_for(metrics):
    answered = call(run="r")
    failed = msgspec.structs.replace(answered, outcome="failed", reason="unavailable")
    metrics.committed(commit(answered, failed))
    found = await shown(metrics)
    made = {"feature": "dialectic.answer", "model": "tiny"}
    for outcome in ("answered", "failed"):
        labels = made | {"transport": "openai", "outcome": outcome}
        assert of(found, "palimpsest_model_calls_total", **labels) == 1
    tokens = made | {"token_type": "input"}
    assert of(found, "palimpsest_model_tokens_total", **tokens) == 10
    cost = of(found, "palimpsest_model_cost_dollars_total", **made)
    assert cost == pytest.approx(24e-6)
    why = made | {"reason": "unavailable"}
    assert of(found, "palimpsest_model_errors_total", **why) == 1
    assert of(found, "palimpsest_model_call_seconds_count", **made) == 2


async def test_levels_say_where_all_stand_and_are_read_once_a_second(
    metrics, memory, database, monkeypatch
):
    # However slow this machine is.
    monkeypatch.setattr(levels, "_WITHIN", 60.0)
    monkeypatch.setattr(levels, "_FRESH", 600.0)
    memory.log.tell(metrics.committed)
    async with projecting(memory.log, database.dsn()) as (prompt, lagging):
        [told] = await memory.say("a secret between us")
        assert await prompt.wait_for(told.position, 60)
        assert await lagging.wait_for(told.position, 60)
        db = await asyncpg.connect(database.dsn())
        await db.execute("INSERT INTO log.llm_refusal VALUES (now(), 1, 1, 'w')")
        await db.close()
        async with open_view_readers(database.dsn()) as pool:
            text = await metrics.exposition(pool, {"views": pool}, set())
            await memory.say("another")
            again = await metrics.exposition(pool, {"views": pool}, set())
    assert b"secret" not in text
    found = values(text)
    assert of(found, "palimpsest_log_head") == told.position
    lag = {"kind": "projection", "consumer": "messages"}
    assert of(found, "palimpsest_consumer_lag_events", **lag) == 0
    assert of(found, "palimpsest_consumer_lag_seconds", **lag) == 0
    assert of(found, "messages_created_total", workspace_name="w") == 1
    assert of(found, "message_embeddings_pending") == 0
    assert of(found, "palimpsest_budget_stopped_workspaces") == 1
    assert of(found, "db_pool_connections", instance_type="api", state="size") == 6
    assert of(values(again), "palimpsest_log_head") == told.position


async def test_what_was_appended_once_is_counted_once(metrics, memory):
    memory.log.tell(metrics.committed)
    again = request("s", command=CommandIdentity(uuid4(), b"h" * 32))
    for _ in range(3):
        await memory.log.store.append(again)
    found = await shown(metrics)
    assert of(found, "palimpsest_log_events_total", type="message-added") == 1
