"""What runs of agents tell outside: answers with their steps, dreams (RS 11.1)."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from domain.dream import DreamCompleted, DreamFailed, SpecialistCompleted
from domain.question import QuestionAnswered, ToolUsed
from domain.recorded import Recorded
from infra.telemetry.told import Told, took


def tell_answer(recorded: Recorded, event: QuestionAnswered) -> Iterator[Told]:
    """Tell of an answer, and of each step of its run."""
    trace = event.trace
    run = event.id if trace is None else trace.run
    tools = () if trace is None else trace.tools
    common = {"workspace_name": event.workspace, "run_id": run}
    yield Told(
        type="dialectic.completed",
        version=2,
        of=recorded,
        data={
            **common,
            "peer_name": event.peer,
            "session_name": event.session,
            "reasoning_level": event.level,
            "total_iterations": 0 if trace is None else trace.iterations,
            "prefetched_conclusion_count": 0 if trace is None else trace.prefetched,
            "tool_calls_count": len(tools),
            **took(event.engine),
        },
    )
    yield from _steps(recorded, run, common, tools)


def _steps(
    recorded: Recorded, run: str, common: dict[str, Any], tools: Sequence[ToolUsed]
) -> Iterator[Told]:
    """Tell what was used, by iteration and one by one."""
    by_iteration = groupby(tools, lambda each: each.iteration)
    for iteration, used in by_iteration:
        yield Told(
            type="agent.iteration",
            version=2,
            of=recorded,
            run=run,
            part=iteration,
            data={
                **common,
                "parent_category": "dialectic",
                "iteration": iteration,
                "tool_names": [each.tool for each in used],
            },
        )
    for number, each in enumerate(tools):
        yield Told(
            type="agent.tool.call.completed",
            version=1,
            of=recorded,
            run=run,
            part=number,
            data={
                **common,
                "iteration": each.iteration,
                "call_seq": number,
                "tool_name": each.tool,
                "duration_ms": each.latency_ms,
                "is_error": each.error,
                "result_chars_before": each.chars,
                "result_chars_after": each.shown,
                "truncated": each.shown < each.chars,
                "results_count": len(each.conclusions) + len(each.messages),
            },
        )


def tell_specialist(recorded: Recorded, event: SpecialistCompleted) -> Iterator[Told]:
    """Tell of one who worked in a dream, and of what it changed."""
    pair = {
        "workspace_name": event.workspace,
        "run_id": event.id,
        "observer": event.observer,
        "observed": event.observed,
    }
    agent = {**pair, "agent_type": event.specialist}
    yield Told(
        type="dream.specialist",
        version=2,
        of=recorded,
        data={
            **pair,
            "specialist_type": event.specialist,
            "iterations": event.iterations,
            "tool_calls_count": sum(event.tool_calls.values()),
            "success": True,
            "created_count": sum(event.created.values()),
            "deleted_count": sum(event.deleted.values()),
            "created_by_level": event.created,
            "deleted_by_level": event.deleted,
            "peer_card_updated": event.card_changes > 0,
            **took(event.engine),
        },
    )
    changed = (
        ("agent.tool.conclusions.created", 2, event.created),
        ("agent.tool.conclusions.deleted", 3, event.deleted),
    )
    for kind, version, levels in changed:
        if levels:
            count = {"conclusion_count": sum(levels.values()), "levels": list(levels)}
            yield Told(type=kind, version=version, of=recorded, data={**agent, **count})
    if event.card_changes:
        yield Told(
            type="agent.tool.peer_card.updated",
            version=2,
            of=recorded,
            data={**agent, "facts_count": event.card_changes},
        )


def tell_dream(
    recorded: Recorded, event: DreamCompleted | DreamFailed
) -> Iterator[Told]:
    """Tell how a dream ended; what is tried again has not ended."""
    if isinstance(event, DreamFailed) and event.retry_at is not None:
        return
    done = isinstance(event, DreamCompleted)
    yield Told(
        type="dream.run",
        version=2,
        of=recorded,
        data={
            "workspace_name": event.workspace,
            "run_id": event.id,
            "observer": event.observer,
            "observed": event.observed,
            "dream_type": event.kind,
            "success": done,
            "attempts": event.attempt,
            "created_count": sum(event.created.values()),
            "deleted_count": sum(event.deleted.values()),
            **(took(event.engine) if isinstance(event, DreamCompleted) else {}),
            "error_class": None if isinstance(event, DreamCompleted) else event.error,
        },
    )
