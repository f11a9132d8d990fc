"""What the tools that infer do with the items a model wrote (RS 2.3)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from commands.grounds import Ground
from commands.inference import RecordInference, record_inference
from domain.conclusion import (
    MAX_CONCLUSION,
    ConclusionDerived,
    ConclusionReinforced,
    Found,
)
from domain.inference import LEAST, Inferable
from processors.dream_run import DreamRun
from processors.recall import Recollection
from processors.tools.tool import ToolResult

MOST_ITEMS: Final = 20
"""Most conclusions of one call."""

MOST_SOURCES: Final = 50
"""Most conclusions one may be built on."""

Content = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_CONCLUSION,
        description="One sentence that is understood by itself and names the peer.",
    ),
]

Sources = Annotated[
    tuple[str, ...],
    Meta(
        min_length=1,
        max_length=MOST_SOURCES,
        description="Labels of the conclusions it is built on, as they were shown.",
    ),
]

Several = Annotated[
    tuple[str, ...],
    Meta(
        min_length=2,
        max_length=MOST_SOURCES,
        description="Labels of at least two conclusions, as they were shown.",
    ),
]


class Inferred(msgspec.Struct, frozen=True, kw_only=True):
    """One item as it was read; ``pattern`` and ``confidence`` are of patterns."""

    content: str
    sources: tuple[str, ...]
    pattern: str = ""
    confidence: str = ""


async def record_items(
    run: DreamRun, tool: str, level: Inferable, items: Sequence[Inferred | str]
) -> ToolResult:
    """Record the items that are sound; tell of each what became of it.

    An item is a text where it could not be read. What a deduction or a contradiction
    names must all be held; a pattern is built on what is held of what it names.
    """
    names = [n for each in items if isinstance(each, Inferred) for n in each.sources]
    known = await run.find(names)
    found: list[Found] = []
    refused: list[str] = []
    grounds: dict[str, Ground] = {}
    for number, each in enumerate(items, 1):
        sound = _checked(each, level, known)
        if isinstance(sound, str):
            refused.append(f"Refused, number {number}: {sound}")
            continue
        fact, rests_on = sound
        found.append(fact)
        grounds |= {ground.id: ground for ground in rests_on}
    lines, ids = await _record(run, tool, found, tuple(grounds.values()))
    run.tally.refused += len(refused)
    return ToolResult("\n".join([*lines, *refused]) or "Nothing was given.", ids)


def _checked(
    item: Inferred | str, level: Inferable, known: Mapping[str, Ground]
) -> tuple[Found, list[Ground]] | str:
    if isinstance(item, str):
        return item
    content = item.content.strip()
    named = dict.fromkeys(item.sources)
    missing = [name for name in named if name not in known]
    rests_on = list({known[n].id: known[n] for n in named if n in known}.values())
    if not content:
        return "it says nothing"
    if missing and (level != "inductive" or len(rests_on) < LEAST[level]):
        return f"nothing is held under {', '.join(missing)[:200]}"
    if len(rests_on) < LEAST[level]:
        return f"it needs at least {LEAST[level]} different sources"
    fact = Found(
        id="",
        observed="",
        content=content,
        occurred_at=max(ground.occurred_at for ground in rests_on),
        evidence=(),
        level=level,
        sources=tuple(ground.id for ground in rests_on),
        pattern=item.pattern,
        confidence=_confidence(item.confidence, len(rests_on)) if item.pattern else "",
    )
    return fact, rests_on


def _confidence(said: str, sources: int) -> str:
    """Return how sure it is: as said, but no surer than its sources make it."""
    steps = ("low", "medium", "high")
    most = 2 if sources >= 5 else 1 if sources >= 3 else 0  # noqa: PLR2004  RS 2.3
    wanted = steps.index(said) if said in steps else 1
    return steps[min(wanted, most)]


async def _record(
    run: DreamRun, tool: str, found: Sequence[Found], grounds: tuple[Ground, ...]
) -> tuple[list[str], tuple[str, ...]]:
    name = run.next_name(tool)
    if not found:
        return [], ()
    task = run.task
    workspace, observer, observed = task.pair
    appended = await record_inference(
        run.decide,
        RecordInference(
            workspace=workspace,
            observer=observer,
            observed=observed,
            name=name,
            run=task.dream.id,
            position=task.scheduled_at,
            found=tuple(
                msgspec.structs.replace(fact, observed=observed) for fact in found
            ),
            grounds=grounds,
            engine=run.engine,
            cause=task.cause,
        ),
    )
    lines, ids = [], []
    for recorded in () if appended is None else appended.recorded:
        match event := recorded.event:
            case ConclusionDerived():
                run.tally.created[event.level] += 1
                lines.append(f"Recorded: {run.shown.conclusion_line(_seen(event))}")
                ids.append(event.id)
            case ConclusionReinforced():
                run.tally.reinforced += 1
                lines.append("Known already, and counted once more.")
                ids.append(event.id)
            case _:
                continue
    lost = len(found) - len(ids)
    run.tally.refused += lost
    if lost:
        lines.append(f"Refused, {lost}: what it was built on was retracted meanwhile.")
    return lines, tuple(ids)


def _seen(event: ConclusionDerived) -> Recollection:
    return Recollection(
        kind="conclusion",
        id=event.id,
        text=event.content,
        at=event.occurred_at,
        peer=event.observed,
        similarity=0.0,
        level=event.level,
        evidence=tuple(each.message for each in event.evidence),
    )
