"""How a model came by an answer, drawn: its calls, its tools, what they told."""

from typing import Final

from rich.text import Text
from rich.tree import Tree

from infra.cli.record_line import harmless
from projections.run_calls import RunCall
from read_api.answer_lineage import AnswerLineage, ToolTold, TraceTold

_INPUT: Final = 160
"""Characters shown of what a tool was asked for."""

_IDS: Final = 8
"""Ids shown of what a tool told."""

_ENDED: Final = {
    "answered": "",
    "iterations": ", and had to stop there",
    "budget": ", and had to stop for want of tokens",
}


def add_trace(tree: Tree, story: AnswerLineage) -> None:
    """Add how an answer was come by, where a model gave it."""
    trace = story.trace
    if trace is None:
        return
    told = tree.add(Text(_summed_up(trace)))
    for each in trace.tools:
        told.add(Text(_used(each)))
    for call in story.calls:
        told.add(Text(_called(call)))


def _summed_up(trace: TraceTold) -> str:
    calls = f"{trace.iterations} call{'' if trace.iterations == 1 else 's'}"
    told = f"answered in {calls} of the model (run {trace.run})"
    told += f"{_ENDED.get(trace.ended, '')}; {trace.prefetched} found beforehand"
    return f"{told}; its form was mended" if trace.form == "repaired" else told


def _used(use: ToolTold) -> str:
    asked = harmless(use.input)
    asked = asked if len(asked) <= _INPUT else asked[:_INPUT] + "…"
    ids = (*use.conclusions, *use.messages)
    if use.error:
        came = "was told what is wrong with that"
    elif not ids:
        came = "found nothing"
    else:
        more = f" and {len(ids) - _IDS} more" if len(ids) > _IDS else ""
        came = f"found {', '.join(ids[:_IDS])}{more}"
    cut = f", cut from {use.chars:,} characters" if use.shown < use.chars else ""
    return f"{use.iteration}. {harmless(use.tool)} {asked} {came}{cut}"


def _called(call: RunCall) -> str:
    why = f" ({call.reason})" if call.reason else ""
    cost = "" if call.cost is None else f", ${call.cost / 1_000_000:.6f}"
    return (
        f"call {call.id}: {call.transport} {call.model} {call.outcome}{why},"
        f" {call.latency / 1_000:.1f} ms, {call.input:,} tokens in,"
        f" {call.output:,} out{cost}"
    )
