"""How what follows is tied to what it follows from: its cause and its name."""

from collections.abc import Sequence

from domain.recorded import Cause, Recorded


def cause_of(actor: str, event: Recorded) -> Cause:
    """Return the cause of what follows an event: the event, in the story it tells."""
    return Cause(
        actor=actor,
        correlation_id=event.cause.correlation_id,
        causation_id=event.id,
        trace_parent=event.cause.trace_parent,
    )


def name_of(processor: str, generation: int, events: Sequence[Recorded]) -> str:
    """Return the name of the command that events lead to (architecture section 2)."""
    return f"{processor}:{generation}:{events[0].position}-{events[-1].position}"
