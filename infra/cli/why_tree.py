"""A story drawn for a person: each thing under what it rests on, or what it led to."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from rich.text import Text
from rich.tree import Tree

from infra.cli.record_line import harmless
from infra.cli.trace_tree import add_trace
from infra.why import Story, SummaryStory, Why
from read_api.answer_lineage import AnswerLineage
from read_api.consequences import Consequences
from read_api.lineage import Lineage
from read_api.lineage_answers import (
    CitingAnswer,
    CoveringSummary,
    DerivationShown,
    LifeEvent,
    LineageConclusion,
    QuotedMessage,
)

_SHOWN: Final = 300
"""Characters of a text."""

_DEEP: Final = 25
"""Branches within each other."""

_MORE: Final = "there is more than is shown"


def as_tree(told: Why) -> Tree:
    """Draw the story of one thing."""
    tree = _of(told.story)
    if told.story.truncated:
        tree.add(Text(_MORE, style="yellow"))
    return tree


def _of(story: Story) -> Tree:
    match story:
        case Lineage():
            return _of_conclusion(story)
        case Consequences():
            return _of_message(story)
        case SummaryStory():
            return _of_summary(story)
        case AnswerLineage():
            return _of_answer(story)


def _of_conclusion(story: Lineage) -> Tree:
    own = story.conclusion
    tree = Tree(_named(own.id, _said(own.content), style="bold"))
    tree.add(Text(_standing(own)))
    _add_derivation(tree, story.derivation)
    below = _Below(story.premises, story.messages)
    rests = tree.add(_head("rests on"))
    below.add(rests, own)
    if not rests.children:
        rests.add(Text("the word of its author"))
    life = tree.add(_head("its life"))
    for each in story.life:
        life.add(_lived(each))
    built = story.built_on_it
    forward = (built.conclusions, built.summaries, built.answers)
    _add_forward(tree, "built on it", {own.origin_id}, *forward)
    return tree


def _of_message(story: Consequences) -> Tree:
    message = story.message
    tree = Tree(_quote(message, style="bold"))
    forward = (story.conclusions, story.summaries, story.answers)
    _add_forward(tree, "led to", {message.id}, *forward)
    return tree


def _of_summary(story: SummaryStory) -> Tree:
    head = f"{story.summary_type} summary of {story.session_id}: "
    tree = Tree(_named(story.id, head + _said(story.content), style="bold"))
    if story.absorbs:
        tree.add(Text(f"absorbs the summary {story.absorbs}"))
    _add_derivation(tree, story.derivation)
    covers = tree.add(_head("covers"))
    for each in story.messages:
        covers.add(_quote(each))
    return tree


def _of_answer(story: AnswerLineage) -> Tree:
    tree = Tree(_named(story.answer.id, _said(story.question), style="bold"))
    tree.add(Text(_said(story.content)))
    tree.add(Text(_asked(story.answer)))
    _add_derivation(tree, story.derivation)
    add_trace(tree, story)
    below = _Below(story.premises, story.messages)
    rests = tree.add(_head("rests on"))
    for each in story.premises:
        if each.depth == 0:
            below.add(rests.add(_conclusion(each)), each)
    for quoted in story.messages:
        if quoted.id not in below.shown:
            rests.add(_quote(quoted))
    return tree


class _Below:
    """Draws what conclusions rest on; what was drawn before is only named."""

    def __init__(
        self,
        premises: Sequence[LineageConclusion],
        messages: Sequence[QuotedMessage],
    ) -> None:
        self._premises = {each.origin_id: each for each in premises}
        self._messages = {each.id: each for each in messages}
        self.shown: set[str] = set()

    def add(self, tree: Tree, conclusion: LineageConclusion, deep: int = 0) -> None:
        """Add what one rests on, its sources first."""
        for id_ in conclusion.source_ids:
            premise = self._premises.get(id_)
            if premise is None or deep >= _DEEP:
                tree.add(_named(id_, "not here"))
            elif id_ in self.shown:
                tree.add(_named(id_, "as above"))
            else:
                self.shown.add(id_)
                self.add(tree.add(_conclusion(premise)), premise, deep + 1)
        for id_ in conclusion.message_ids:
            quoted = self._messages.get(id_)
            self.shown.add(id_)
            tree.add(_named(id_, "not here") if quoted is None else _quote(quoted))
        more = conclusion.messages_total - len(conclusion.message_ids)
        if more > 0:
            tree.add(Text(f"and {more} more messages"))


def _add_forward(
    tree: Tree,
    head: str,
    roots: set[str],
    conclusions: Sequence[LineageConclusion],
    summaries: Sequence[CoveringSummary],
    answers: Sequence[CitingAnswer],
) -> None:
    if not (conclusions or summaries or answers):
        tree.add(Text(f"nothing was {head}" if head[0] == "b" else f"{head} nothing"))
        return
    built = tree.add(_head(head))
    branches: dict[str, Tree] = dict.fromkeys(roots, built)
    for each in conclusions:  # the nearest come first
        under = (branches[id_] for id_ in _below(each) if id_ in branches)
        branches[each.origin_id] = next(under, built).add(_conclusion(each))
    for summary in summaries:
        covers = f"{summary.summary_type} summary of messages {summary.first_seq}"
        newest = ", the newest" if summary.is_current else ""
        text = f"{covers} to {summary.last_seq} of {summary.session_id}{newest}"
        built.add(_named(summary.id, text))
    for answer in answers:
        cites = ", ".join(answer.cited_ids)
        built.add(_named(answer.id, f"{_asked(answer)}, citing {cites}"))


def _below(conclusion: LineageConclusion) -> Iterable[str]:
    return (*conclusion.source_ids, *conclusion.message_ids)


def _add_derivation(tree: Tree, made: DerivationShown | None) -> None:
    if made is None:
        return
    by = " ".join(filter(None, (made.engine, made.model)))
    branch = tree.add(_head(f"derived by {by}, version {made.version}"))
    if made.prompt is not None:
        hashed = f", sha256 {made.prompt_hash}" if made.prompt_hash else ""
        branch.add(Text(f"prompt {made.prompt}@{made.prompt_version}{hashed}"))
    if made.parameters:
        pairs = (f"{name}={value}" for name, value in made.parameters.items())
        branch.add(Text(f"with {harmless(', '.join(pairs))}"))
    if made.first_seq is not None:
        read = f"from messages {made.first_seq} to {made.last_seq}"
        at = f"positions {made.first_position} to {made.last_position}"
        branch.add(Text(f"{read} of {made.session_id}, {at}"))
    if took := ", ".join(_took(made)):
        branch.add(Text(f"took {took}"))
    if made.call_ids:
        branch.add(Text(f"in calls {harmless(', '.join(made.call_ids))}"))
    if made.refused or made.invented:
        refused = _counted(made.refused, "fact")
        invented = _counted(made.invented, "premise")
        branch.add(Text(f"refused {refused} and {invented} that rested on nothing"))
    at_position = f"at position {made.position}"
    branch.add(Text(f"recorded {_when(made.recorded_at)} {at_position}"))


def _took(made: DerivationShown) -> Iterable[str]:
    if made.latency_ms is not None:
        yield f"{made.latency_ms:,.1f} ms"
    if made.requests:
        yield _counted(made.requests, "request")
    if (made.attempt or 1) > 1:
        yield f"{made.attempt} attempts"
    if tokens := made.usage.get("input", 0) + made.usage.get("output", 0):
        yield f"{tokens:,} tokens ({made.usage.get('output', 0):,} of them out)"
    if made.cost_usd is not None and made.cost_usd > 0:
        yield f"${made.cost_usd:.6f}"


def _conclusion(each: LineageConclusion) -> Text:
    gone = "" if each.holds else ", no longer held"
    text = f"{_said(each.content)} ({each.level}{gone})"
    return _named(each.id, text)


def _standing(own: LineageConclusion) -> str:
    holds = "holds" if own.holds else "no longer holds"
    drawn = _counted(own.times_derived, "time")
    whose = f"{own.level}, of {own.observed_id}; {own.observer_id} {holds} it"
    return f"{whose}; drawn {drawn}, since {_when(own.created_at)}"


def _lived(each: LifeEvent) -> Text:
    parts = [f"{each.position} {_when(each.at)} {each.what}"]
    if each.messages:
        parts.append(f"from {_counted(each.messages, 'message')}")
    if each.observer_id is not None:
        parts.append(f"for {each.observer_id}")
    if each.actor is not None:
        parts.append(f"by {each.actor}")
    if each.reason is not None:
        parts.append(f"because: {each.note or each.reason}")
    if each.because_id is not None:
        parts.append(f"with {each.because_id}")
    if each.superseded_by is not None:
        parts.append(f"for {each.superseded_by}")
    if each.unit is not None:
        parts.append(f"(unit {each.unit})")
    return Text(harmless(" ".join(parts)))


def _quote(message: QuotedMessage, style: str = "") -> Text:
    said = f"{_when(message.created_at)} {message.peer_id}: “{_said(message.content)}”"
    return _named(message.id, said, style)


def _asked(answer: CitingAnswer) -> str:
    who, whom = answer.peer_id or "somebody", answer.target_id or "everybody"
    return f"answer to {who} about {whom}, {_when(answer.answered_at)}"


def _named(id_: str, text: str, style: str = "") -> Text:
    return Text.assemble((text, style), (f"  {harmless(id_)}", "dim"))


def _head(text: str) -> Text:
    return Text(text, style="cyan")


def _said(text: str) -> str:
    flat = harmless(" ".join(text.split()))
    return flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _when(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
