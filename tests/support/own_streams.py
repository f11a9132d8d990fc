"""Events put where the commands put them: each on the stream it belongs to."""

from collections.abc import Callable, Iterable
from typing import Any

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.card import (
    CardEntryAdded,
    CardEntryRemoved,
    CardEntryRevised,
    CardReplacedByOwner,
)
from domain.derivation import DerivationCompleted
from domain.dream import (
    DreamCancelled,
    DreamCompleted,
    DreamFailed,
    DreamScheduled,
    DreamStarted,
    SpecialistCompleted,
)
from domain.embedding import EmbeddingRecorded
from domain.event import Event
from domain.names import (
    Stream,
    card_stream,
    conclusion_stream,
    derivation_stream,
    dream_stream,
    embedding_stream,
    pair_conclusion_stream,
    peer_stream,
    session_stream,
    summary_stream,
    webhook_stream,
    workspace_stream,
)
from domain.peer import PeerConfigured, PeerCreated
from domain.scope import ScopeCreated
from domain.summary import SummaryOmitted, SummaryProduced
from infra.postgres.log import PostgresLog
from tests.support.log import CAUSE

_MAKERS: dict[type[Event], Callable[[Any], Stream]] = {
    PeerCreated: lambda e: peer_stream(e.workspace, e.peer),
    PeerConfigured: lambda e: peer_stream(e.workspace, e.peer),
    ScopeCreated: lambda e: peer_stream(e.workspace, e.peer),
    DerivationCompleted: lambda e: derivation_stream(e.workspace, e.session),
    SummaryProduced: lambda e: summary_stream(e.workspace, e.session, e.kind),
    SummaryOmitted: lambda e: summary_stream(e.workspace, e.session, e.kind),
    **dict.fromkeys(
        (CardReplacedByOwner, CardEntryAdded, CardEntryRevised, CardEntryRemoved),
        lambda e: card_stream(e.workspace, e.observer, e.observed),
    ),
    **dict.fromkeys(
        (
            DreamScheduled,
            DreamCancelled,
            DreamStarted,
            SpecialistCompleted,
            DreamCompleted,
            DreamFailed,
        ),
        lambda e: dream_stream(e.workspace, "alice", "alice"),
    ),
    EmbeddingRecorded: lambda e: embedding_stream(
        e.workspace, e.workspace if e.session is None else f"{e.workspace}/{e.session}"
    ),
}


def own_stream(event: Any) -> Stream:
    """Return the stream the commands would have put an event on."""
    workspace, kind = event.workspace, type(event).__name__
    session = getattr(event, "session", None)
    if type(event) in _MAKERS:
        return _MAKERS[type(event)](event)
    if kind.startswith("Webhook"):
        return webhook_stream(workspace)
    if kind.startswith("Conclusion") and session is None:
        return pair_conclusion_stream(workspace, "alice", "alice")
    if kind.startswith("Conclusion"):
        return conclusion_stream(workspace, session)
    if session is not None:
        return session_stream(workspace, session)
    return workspace_stream(workspace)


async def happened(log: PostgresLog, events: Iterable[Event]) -> int:
    """Append events one by one, each on its own stream; return the last position."""
    last = 0
    for event in events:
        stream = own_stream(event)
        one = StreamAppend(stream, ANY, (event,))
        appended = await log.store.append(AppendRequest(stream.tenant, (one,), CAUSE))
        last = appended.last
    return last
