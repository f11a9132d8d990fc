"""How what follows is tied to what it follows from: its cause and its name."""

from collections.abc import Sequence

from domain.recorded import Cause, Recorded


def cause_of(actor: str, run: Sequence[Recorded]) -> Cause:
    """Return the cause of a run's outputs: the story it tells, its newest event."""
    newest = run[-1]
    return Cause(
        actor=actor,
        correlation_id=newest.cause.correlation_id,
        causation_id=newest.id,
        trace_parent=newest.cause.trace_parent,
    )


def name_of(processor: str, generation: int, run: Sequence[Recorded]) -> str:
    """Return the name of the command a run leads to (architecture section 2)."""
    return f"{processor}:{generation}:{run[0].position}-{run[-1].position}"
