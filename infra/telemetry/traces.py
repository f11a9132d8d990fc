"""OpenTelemetry: one tree of spans follows a message through every consumer.

A request's span is what its events name as their parent (W3C ``traceparent`` in
``meta``); appends, folds and deliveries go on from there, and what a delivery appends
goes on from it. Spans say ids, counts and positions, never content.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any, Final

import msgspec
from litestar.types import HTTPScope
from opentelemetry import context as current
from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)

from commands.ports import Appended, AppendRequest
from domain.recorded import Cause, Recorded
from infra.http.correlation import trace_parent_of
from infra.telemetry.observers import UNTOLD, Answer, Fold, Folded
from processors.processor import Batch, Outcome, Park, Retry

_FAILED: Final = 500

_MOST_STORIES: Final = 128
"""Stories of one delivery or fold that get a span each, most."""

_STORIES: ContextVar[dict[str, Span] | None] = ContextVar(
    "palimpsest_stories", default=None
)
"""The spans of a delivery under way, by the trace each belongs to."""


class Traces:
    """Makes the spans of one server."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @property
    def requests(self) -> "RequestSpans":
        """Who follows requests."""
        return RequestSpans(self._tracer)

    @property
    def deliveries(self) -> "DeliverySpans":
        """Who follows deliveries."""
        return DeliverySpans(self._tracer)

    def folds(self, group: str) -> Folded:
        """Return who follows the folds of a group of views."""

        def folded(fold: Fold) -> None:
            for events in _stories(fold.batch).values():
                span = self._tracer.start_span(
                    f"fold {group}",
                    _remote(events[0].cause.trace_parent),
                    attributes=_span_of(events),
                    start_time=fold.begun,
                )
                span.end(fold.ended)

        return folded

    def appending(
        self, request: AppendRequest
    ) -> tuple[AppendRequest, Callable[[Appended | None], None]]:
        """Begin the spans of an append, one a trace, and make its events go on there.

        The second is told the outcome, None where it failed.
        """
        spans: dict[str, Span] = {}

        def goes_on(cause: Cause) -> Cause:
            if cause.trace_parent is None:
                return cause
            span = self._append_span(cause.trace_parent, request.tenant, spans)
            return msgspec.structs.replace(cause, trace_parent=parent_of(span))

        streams = tuple(
            each
            if each.causes is None
            else msgspec.structs.replace(each, causes=tuple(map(goes_on, each.causes)))
            for each in request.streams
        )
        traced = msgspec.structs.replace(
            request, streams=streams, cause=goes_on(request.cause)
        )

        def ended(appended: Appended | None) -> None:
            for span in spans.values():
                if appended is None:
                    span.set_status(StatusCode.ERROR)
                else:
                    span.set_attributes(_written(appended))
                span.end()

        return traced, ended

    def _append_span(self, parent: str, tenant: str, spans: dict[str, Span]) -> Span:
        trace = parent[3:35]
        if trace not in spans:
            story = (_STORIES.get() or {}).get(trace)
            above = _remote(parent) if story is None else set_span_in_context(story)
            told = {"palimpsest.tenant": tenant}
            spans[trace] = self._tracer.start_span("append", above, attributes=told)
        return spans[trace]

    @contextmanager
    def calling(
        self, name: str, told: dict[str, Any], parent: str | None = None
    ) -> Iterator[Span]:
        """Surround a call to somebody outside; ``parent`` is the current span's else.

        An error is told by its type alone: its text may quote somebody.
        """
        with self.beside(name, told, parent) as span:
            token = current.attach(set_span_in_context(span))
            try:
                yield span
            finally:
                current.detach(token)

    @contextmanager
    def beside(
        self, name: str, told: dict[str, Any], parent: str | None = None
    ) -> Iterator[Span]:
        """Do the same without being current: for what is left and entered again."""
        above = None if parent is None else _remote(parent)
        span = self._tracer.start_span(
            name, above, kind=SpanKind.CLIENT, attributes=told
        )
        try:
            yield span
        except BaseException as error:
            span.set_status(StatusCode.ERROR)
            span.set_attribute("error.type", type(error).__name__)
            raise
        finally:
            span.end()


class RequestSpans:
    """Fulfils ``RequestObserver``: a span for each request that may change or read."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def begin(self, scope: HTTPScope) -> Callable[[Answer], None]:
        """See ``RequestObserver``; what follows reads this span as its parent."""
        if scope["path"] in UNTOLD:
            return _nothing
        method = scope["method"]
        span = self._tracer.start_span(
            method, _remote(trace_parent_of(scope)), kind=SpanKind.SERVER
        )
        headers = [each for each in scope["headers"] if each[0] != b"traceparent"]
        scope["headers"] = [*headers, (b"traceparent", parent_of(span).encode())]
        token = current.attach(set_span_in_context(span))

        def end(answer: Answer) -> None:
            current.detach(token)
            span.update_name(f"{answer.method} {answer.endpoint}")
            span.set_attribute("http.request.method", answer.method)
            span.set_attribute("http.route", answer.endpoint)
            span.set_attribute("http.response.status_code", answer.status)
            if answer.status >= _FAILED:
                span.set_status(StatusCode.ERROR)
            span.end()

        return end


class DeliverySpans:
    """Fulfils ``DeliveryObserver``: a span in each trace whose events are handed over.

    What a processor calls meanwhile is below the first of them; the others link to it.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def begin(self, processor: str, batch: Batch) -> Callable[[Outcome | None], None]:
        """See ``DeliveryObserver``."""
        stories: dict[str, Span] = {}
        first: Span | None = None
        for trace, events in _stories(batch.events).items():
            span = self._tracer.start_span(
                processor,
                _remote(events[0].cause.trace_parent),
                kind=SpanKind.CONSUMER,
                links=() if first is None else (Link(first.get_span_context()),),
                attributes={
                    **_span_of(events),
                    "palimpsest.ordering_key": batch.ordering_key,
                },
            )
            stories[trace] = span
            first = first or span
        if first is None:
            return _nothing
        token = current.attach(set_span_in_context(first))
        return _Ending(stories, token, _STORIES.set(stories))


class _Ending:
    """Ends the spans of a delivery."""

    def __init__(
        self,
        stories: dict[str, Span],
        token: Token[Context],
        told: Token[dict[str, Span] | None],
    ) -> None:
        self._stories = stories
        self._token = token
        self._told = told

    def __call__(self, outcome: Outcome | None) -> None:
        _STORIES.reset(self._told)
        current.detach(self._token)
        word = "broken off" if outcome is None else type(outcome).__name__.lower()
        for span in self._stories.values():
            span.set_attribute("palimpsest.outcome", word)
            if isinstance(outcome, Park | Retry):
                span.set_attribute("palimpsest.reason", outcome.reason)
                span.set_status(StatusCode.ERROR)
            span.end()


def parent_of(span: Span) -> str:
    """Write a span as a W3C ``traceparent``."""
    told = span.get_span_context()
    return f"00-{told.trace_id:032x}-{told.span_id:016x}-{told.trace_flags:02x}"


def _remote(parent: str | None) -> Context:
    """Return the context of a well-formed ``traceparent``; without one a new trace."""
    if parent is None:
        return Context()
    told = SpanContext(
        trace_id=int(parent[3:35], 16),
        span_id=int(parent[36:52], 16),
        is_remote=True,
        trace_flags=TraceFlags(int(parent[53:55], 16)),
    )
    return set_span_in_context(NonRecordingSpan(told), Context())


def _stories(events: Sequence[Recorded]) -> dict[str, list[Recorded]]:
    """Part events by the trace they belong to, so many traces, those that are sent."""
    found: dict[str, list[Recorded]] = {}
    for each in events:
        parent = each.cause.trace_parent
        if parent is None or not int(parent[53:55], 16) & TraceFlags.SAMPLED:
            continue
        if parent[3:35] in found or len(found) < _MOST_STORIES:
            found.setdefault(parent[3:35], []).append(each)
    return found


def _span_of(events: Sequence[Recorded]) -> dict[str, Any]:
    return {
        "palimpsest.tenant": events[0].tenant,
        "palimpsest.events": len(events),
        "palimpsest.position.first": events[0].position,
        "palimpsest.position.last": events[-1].position,
    }


def _written(appended: Appended) -> dict[str, Any]:
    return {
        "palimpsest.events": len(appended.recorded),
        "palimpsest.position.first": appended.first,
        "palimpsest.position.last": appended.last,
        "palimpsest.replayed": appended.replayed,
    }


def _nothing(_: object) -> None:
    """Say nothing."""
