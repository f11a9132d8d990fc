"""Take conclusions back as one unit: each on its own stream, all in one append."""

from collections.abc import Iterable, Sequence

from commands.proposal import Proposal
from commands.summary import watch_summary
from commands.watched import Watched
from domain.conclusion import (
    ConclusionRetracted,
    Conclusions,
    evolve_conclusions,
    retract_conclusion,
)
from domain.names import (
    conclusion_stream,
    pair_conclusion_stream,
    retraction_stream,
)
from domain.retraction import (
    Retraction,
    TakenConclusion,
    TakenSummary,
    evolve_retraction,
)
from domain.summary import Summary

CASCADED = "what it was built on was retracted"
"""Why a conclusion falls with another."""


def watch_retraction(workspace: str, unit: str) -> Watched[Retraction]:
    """Look at a unit by its id."""
    stream = retraction_stream(workspace, unit)
    return Watched(stream, Retraction(), evolve_retraction)


def watch_conclusions(workspace: str, taken: TakenConclusion) -> Watched[Conclusions]:
    """Look at the stream of a conclusion."""
    if taken.session is None:
        stream = pair_conclusion_stream(workspace, taken.holder, taken.observed)
    else:
        stream = conclusion_stream(workspace, taken.session)
    return Watched(stream, Conclusions(), evolve_conclusions)


def watch_summary_of(workspace: str, taken: TakenSummary) -> Watched[Summary]:
    """Look at the chain of a summary."""
    return watch_summary(workspace, taken.session, taken.kind)


def watch_all(
    workspace: str, taken: Iterable[TakenConclusion]
) -> list[Watched[Conclusions]]:
    """Look at the streams of all these conclusions, each once."""
    found = (watch_conclusions(workspace, each) for each in taken)
    return list({each.stream.name: each for each in found}.values())


def retract_all(
    proposal: Proposal,
    taken: Sequence[TakenConclusion],
    like: ConclusionRetracted,
) -> tuple[TakenConclusion, ...]:
    """Propose that these are retracted, and return those that were not before.

    ``like`` has what is told of each: its unit, reason and actor, and what supersedes
    the first.
    """
    done = []
    for each in taken:
        event = ConclusionRetracted(
            workspace=like.workspace,
            session=each.session,
            id=each.id,
            observer=each.observer,
            reason=like.reason if each.because is None else CASCADED,
            actor=like.actor,
            unit=like.unit,
            because=each.because,
            superseded_by=like.superseded_by if each.id == like.id else None,
        )
        stream = watch_conclusions(like.workspace, each)
        events = retract_conclusion(proposal.state(stream), event)
        proposal.record(stream, events)
        done += [each] * len(events)
    return tuple(done)
