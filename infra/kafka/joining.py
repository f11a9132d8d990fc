"""What a member's thread looks after before it polls, for the group's sake."""

from kafka.coordinator.consumer import ConsumerCoordinator


def go_on_joining(of: ConsumerCoordinator) -> None:
    """Let who has begun to join ask on until it is told what it has.

    It begins by itself when it shared out a topic that is not any more what it knew,
    or subscribes to another. kafka-python 3.0.12 takes that for done as soon as it has
    said so; if a poll ends before the answer, it never hears what it was given, beats
    no more, is expelled, and goes on with what is given to others then.
    """
    if of.rebalance_in_progress():
        of.request_rejoin()


def is_silent(of: ConsumerCoordinator) -> bool:
    """Tell whether nobody answers for the group: it is unknown who, or not heard."""
    is_late = of.stable() and of.time_to_next_poll() <= 0
    return bool(of.coordinator_unknown() or is_late)
