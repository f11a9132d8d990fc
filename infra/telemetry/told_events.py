"""What the log's events tell outside, without content: the types of RS 11.1.

Names of types and fields are the contract's; what has no meaning here is not told:
prefetches and embeddings of requests, reconciliations, payloads.
"""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, Final

from domain.call import LLMCallRecorded
from domain.derivation import DerivationCompleted
from domain.dream import DreamCompleted, DreamFailed, SpecialistCompleted
from domain.embedding import EmbeddingRecorded
from domain.erasure import SessionErased, WorkspaceErased
from domain.event import Event
from domain.question import QuestionAnswered
from domain.recorded import Recorded
from domain.session import MessageAdded
from domain.summary import SummaryProduced
from infra.postgres.commit import Commit
from infra.telemetry.told import Told, took
from infra.telemetry.told_runs import tell_answer, tell_dream, tell_specialist


def told_of(commit: Commit) -> Iterator[Told]:
    """Yield what a commit tells, in the order of the log.

    Messages of one request are one.
    """
    for message, events in groupby(commit.recorded, _request_of):
        if message is not None:
            yield _said(list(events))
            continue
        for recorded in events:
            tells = _TELLS.get(type(recorded.event))
            if tells is not None:
                yield from tells(recorded, recorded.event)


def _request_of(recorded: Recorded) -> tuple[str, int] | None:
    """Return what messages of one request share; None of what is no new message."""
    event = recorded.event
    if not isinstance(event, MessageAdded) or event.copy_of is not None:
        return None
    return recorded.stream, id(recorded.cause)


def _said(events: list[Recorded]) -> Told:
    messages = [each.event for each in events if isinstance(each.event, MessageAdded)]
    last = messages[-1]
    return Told(
        type="message.created",
        version=1,
        of=events[-1],
        data={
            "workspace_name": last.workspace,
            "session_name": last.session,
            "message_count": len(messages),
            "total_tokens": sum(each.tokens for each in messages),
            "last_message_id": last.id,
        },
    )


def _derived(recorded: Recorded, event: DerivationCompleted) -> Iterator[Told]:
    yield Told(
        type="representation.completed",
        version=2,
        of=recorded,
        data={
            "workspace_name": event.workspace,
            "session_name": event.session,
            "observed_count": len(event.handled),
            "queue_items_processed": sum(event.handled.values()),
            "earliest_message_seq": event.first_seq,
            "latest_message_seq": event.last_seq,
            "message_count": event.last_seq - event.first_seq + 1,
            "explicit_conclusion_count": len(event.conclusions),
            "outcome": event.reason or "completed",
            "refused_count": event.refused,
            **took(event.engine),
        },
    )


def _summed_up(recorded: Recorded, event: SummaryProduced) -> Iterator[Told]:
    yield Told(
        type="agent.tool.summary.created",
        version=3,
        of=recorded,
        data={
            "workspace_name": event.workspace,
            "session_name": event.session,
            "message_id": event.message,
            "message_seq_in_session": event.to_seq,
            "summary_type": event.kind,
            "message_count": event.to_seq - event.from_seq + 1,
            **took(event.engine),
            "output_tokens": event.tokens,
        },
    )


def _erased(
    recorded: Recorded, event: SessionErased | WorkspaceErased
) -> Iterator[Told]:
    session = event.session if isinstance(event, SessionErased) else None
    yield Told(
        type="deletion.completed",
        version=1,
        of=recorded,
        data={
            "workspace_name": event.workspace,
            "deletion_type": "workspace" if session is None else "session",
            "resource_id": session or event.workspace,
            "success": True,
        },
    )


def _called(recorded: Recorded, event: LLMCallRecorded) -> Iterator[Told]:
    outcomes = {"answered": "success", "cancelled": "cancelled"}
    yield Told(
        type="llm.call.completed",
        version=1,
        of=recorded,
        run=event.run or event.id,
        data={
            "workspace_name": event.workspace,
            "call_purpose": event.feature,
            "transport": event.transport,
            "model": event.model,
            "input_tokens": event.usage.get("input", 0),
            "output_tokens": event.usage.get("output", 0),
            "cache_read_input_tokens": event.usage.get("cached", 0),
            "estimated": event.estimated,
            "finish_reason": event.finish,
            "outcome": outcomes.get(event.outcome, "error"),
            "error_class": event.reason,
            "attempts": event.call.attempts,
            "was_fallback": event.fallback,
            "duration_ms": event.call.latency_ms,
            "cost_usd_micros": event.call.cost_usd_micros,
            "is_streaming": event.form == "stream",
            "run_id": event.run,
        },
    )


def _embedded(recorded: Recorded, event: EmbeddingRecorded) -> Iterator[Told]:
    yield Told(
        type="embedding.call.completed",
        version=1,
        of=recorded,
        run=str(recorded.id),
        data={
            "workspace_name": event.workspace,
            "call_purpose": "vector_sync",
            "model": event.model,
            "input_count": len(event.items),
            "outcome": "success",
        },
    )


_TELLS: Final[dict[type[Event], Callable[[Recorded, Any], Iterator[Told]]]] = {
    DerivationCompleted: _derived,
    QuestionAnswered: tell_answer,
    SpecialistCompleted: tell_specialist,
    DreamCompleted: tell_dream,
    DreamFailed: tell_dream,
    SummaryProduced: _summed_up,
    SessionErased: _erased,
    WorkspaceErased: _erased,
    LLMCallRecorded: _called,
    EmbeddingRecorded: _embedded,
}
