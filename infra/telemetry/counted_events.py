"""What events count for in metrics: work done, tokens, outcomes (RS 11.2)."""

from collections.abc import Callable
from typing import Any, Final

from domain.call import LLMCallRecorded
from domain.conclusion import (
    ConclusionDerived,
    ConclusionReinforced,
    ConclusionReinstated,
    ConclusionRetracted,
    ConclusionReworded,
)
from domain.derivation import DerivationCompleted, DerivationFailed
from domain.dream import DreamCompleted, SpecialistCompleted
from domain.embedding import EmbeddingRecorded
from domain.erasure import SessionErased, WorkspaceErased
from domain.event import Engine, Event
from domain.question import QuestionAnswered
from domain.recorded import Recorded
from domain.session import MessageAdded
from domain.summary import SummaryOmitted, SummaryProduced
from domain.webhook import WebhookAttemptFailed, WebhookDelivered, WebhookFailed
from infra.telemetry.series import Counts, Series

_OUTCOMES: Final = ("completed", "empty", "passed_over", "failed")


class EventCounts:
    """Counters that events move."""

    def __init__(self, series: Series) -> None:
        counter = series.counter
        self._series = series
        self._messages = counter("messages_created", "Messages said", "workspace_name")
        self._answers = counter(
            "dialectic_calls", "Questions answered", "workspace_name", "reasoning_level"
        )
        self._items = counter(
            "deriver_queue_items_processed",
            "Items of background work done",
            "workspace_name",
            "task_type",
        )
        self._deriver_tokens = counter(
            "deriver_tokens_processed",
            "Tokens of reasoning in the background",
            "task_type",
            "token_type",
            "component",
        )
        self._answer_tokens = counter(
            "dialectic_tokens_processed",
            "Tokens of answers",
            "token_type",
            "component",
            "reasoning_level",
        )
        self._make_own(counter)
        self._make_models(series)
        self._begin()
        self._on = self._table()

    def _make_own(self, counter: Callable[..., Counts]) -> None:
        self._derivations = counter(
            "palimpsest_derivations", "What came of windows of messages", "outcome"
        )
        self._refused = counter(
            "palimpsest_derivation_refused",
            "What an engine made up: facts on nothing, and single premises",
            "what",
        )
        self._conclusions = counter(
            "palimpsest_conclusions", "Conclusions, by what became of them", "what"
        )
        self._embedded = counter(
            "palimpsest_texts_embedded", "Texts that got vectors", "kind"
        )
        self._webhooks = counter(
            "palimpsest_webhook_attempts", "Webhook deliveries", "outcome"
        )

    def count(self, recorded: Recorded) -> None:
        """Count one event."""
        kind = type(recorded.event)
        if kind not in self._on:  # a kind of a known one counts as that
            known = (self._on.get(each) for each in kind.__mro__)
            self._on[kind] = next(filter(None, known), _nothing)
        self._on[kind](recorded.event)

    def _table(self) -> dict[type[Event], Callable[[Any], None]]:
        return {
            MessageAdded: self._said,
            DerivationCompleted: self._derived,
            DerivationFailed: lambda _: self._derivations.add(1, "failed"),
            ConclusionDerived: lambda e: self._conclusions.add(1, e.level),
            ConclusionReinforced: lambda _: self._conclusions.add(1, "reinforced"),
            ConclusionReworded: lambda _: self._conclusions.add(1, "reinforced"),
            ConclusionRetracted: lambda _: self._conclusions.add(1, "retracted"),
            ConclusionReinstated: lambda _: self._conclusions.add(1, "reinstated"),
            SummaryProduced: self._summed_up,
            SummaryOmitted: self._summed_up,
            DreamCompleted: lambda e: self._item(e, "dream"),
            SpecialistCompleted: self._dreamt,
            LLMCallRecorded: self._called,
            SessionErased: lambda e: self._item(e, "deletion"),
            WorkspaceErased: lambda e: self._item(e, "deletion"),
            QuestionAnswered: self._answered,
            EmbeddingRecorded: self._vectors,
            WebhookDelivered: lambda _: self._webhooks.add(1, "delivered"),
            WebhookAttemptFailed: lambda _: self._webhooks.add(1, "failed"),
            WebhookFailed: lambda _: self._webhooks.add(1, "given_up"),
        }

    def _make_models(self, series: Series) -> None:
        counter = series.counter
        self._dreamer_tokens = counter(
            "dreamer_tokens_processed",
            "Tokens of dreams",
            "specialist_name",
            "token_type",
        )
        self._calls = counter(
            "palimpsest_model_calls",
            "Calls of models that ended",
            *("feature", "transport", "model", "outcome"),
        )
        self._call_tokens = counter(
            "palimpsest_model_tokens",
            "Tokens of models; cached ones are input too",
            *("feature", "model", "token_type"),
        )
        self._cost = counter(
            "palimpsest_model_cost_dollars",
            "What models cost, where somebody set a price",
            *("feature", "model"),
        )
        self._call_errors = counter(
            "palimpsest_model_errors",
            "Calls of models that brought no answer, by a word for why",
            *("feature", "model", "reason"),
        )
        self._call_seconds = series.histogram(
            "palimpsest_model_call_seconds",
            "How long models took, all attempts",
            *("feature", "model"),
        )

    def _begin(self) -> None:
        """Begin what is known at 0, so that the first of each is seen as a rise."""
        for outcome in _OUTCOMES:
            self._derivations.add(0, outcome)
        for what in ("facts", "premises"):
            self._refused.add(0, what)
        for what in ("explicit", "reinforced", "retracted", "reinstated"):
            self._conclusions.add(0, what)
        for kind in ("message", "conclusion"):
            self._embedded.add(0, kind)
        for outcome in ("delivered", "failed", "given_up"):
            self._webhooks.add(0, outcome)
        for task, component in (("ingestion", "total"), ("summary", "total")):
            for kind in ("input", "output"):
                self._deriver_tokens.add(0, task, kind, component)

    def _said(self, event: MessageAdded) -> None:
        if event.copy_of is None:
            self._messages.add(1, self._series.workspace(event.workspace))

    def _derived(self, event: DerivationCompleted) -> None:
        if event.reason == "no-usable-answer":
            self._derivations.add(1, "passed_over")
        else:
            self._derivations.add(1, "completed" if event.conclusions else "empty")
        self._refused.add(event.refused, "facts")
        self._refused.add(event.invented, "premises")
        self._item(event, "representation", sum(event.handled.values()))
        self._tokens(event.engine, "ingestion")

    def _summed_up(self, event: SummaryProduced | SummaryOmitted) -> None:
        self._item(event, "summary")
        self._tokens(event.engine, "summary")

    def _answered(self, event: QuestionAnswered) -> None:
        workspace = self._series.workspace(event.workspace)
        self._answers.add(1, workspace, event.level)
        for kind in ("input", "output"):
            if tokens := event.engine.usage.get(kind, 0):
                self._answer_tokens.add(tokens, kind, "total", event.level)

    def _dreamt(self, event: SpecialistCompleted) -> None:
        for kind in ("input", "output"):
            tokens = event.engine.usage.get(kind, 0)
            self._dreamer_tokens.add(tokens, event.specialist, kind)

    def _called(self, event: LLMCallRecorded) -> None:
        """Count a call by what it was for; of a model that names itself freely."""
        made = (event.feature, event.model)
        self._calls.add(1, event.feature, event.transport, event.model, event.outcome)
        if event.outcome != "answered":
            self._call_errors.add(1, *made, event.reason)
        for kind in ("input", "output", "cached"):
            if tokens := event.usage.get(kind, 0):
                self._call_tokens.add(tokens, *made, kind)
        if (micros := event.call.cost_usd_micros) is not None:
            self._cost.add(micros / 1e6, *made)
        self._call_seconds.observe(event.call.latency_ms / 1e3, *made)

    def _vectors(self, event: EmbeddingRecorded) -> None:
        for item in event.items:
            self._embedded.add(1, item.kind)

    def _item(self, event: Event, task: str, items: int = 1) -> None:
        self._items.add(items, self._series.workspace(event.workspace), task)

    def _tokens(self, engine: Engine, task: str) -> None:
        for kind in ("input", "output"):
            if tokens := engine.usage.get(kind, 0):
                self._deriver_tokens.add(tokens, task, kind, "total")


def _nothing(_event: Event) -> None:
    """Count nothing."""
