"""Events of a small story, each with the fields a test cares about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.card import CardReplacedByOwner
from domain.conclusion import ConclusionDerived, Evidence
from domain.event import Engine
from domain.peer import PeerCreated
from domain.session import MessageAdded, PeerJoined, SessionCreated
from domain.summary import SummaryProduced
from domain.workspace import WorkspaceCreated

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ENGINE = Engine(name="test", version="1")


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def workspace(name: str = "w", **more: Any) -> WorkspaceCreated:
    fields = {"uid": f"uid-{name}", "created_at": NOON} | more
    return WorkspaceCreated(workspace=name, **fields)


def peer(name: str, **more: Any) -> PeerCreated:
    fields = {"workspace": "w", "uid": f"uid-{name}", "created_at": NOON} | more
    return PeerCreated(peer=name, **fields)


def session(name: str, **more: Any) -> SessionCreated:
    fields = {"workspace": "w", "uid": f"uid-{name}", "created_at": NOON} | more
    return SessionCreated(session=name, **fields)


def joined(session: str, peer: str, **more: Any) -> PeerJoined:
    fields = {"workspace": "w", "joined_at": NOON} | more
    return PeerJoined(session=session, peer=peer, **fields)


def said(seq: int, content: str, **more: Any) -> MessageAdded:
    fields = {
        "workspace": "w",
        "session": "s",
        "author": "alice",
        "created_at": NOON,
        "tokens": len(content.split()),
    } | more
    fields.setdefault("id", f"{fields['session']}-{seq}")
    return MessageAdded(seq=seq, content=content, **fields)


def concluded(name: str, content: str, **more: Any) -> ConclusionDerived:
    fields = {
        "workspace": "w",
        "session": "s",
        "observed": "alice",
        "content_key": content.lower(),
        "occurred_at": NOON,
        "engine": ENGINE,
    } | more
    return ConclusionDerived(id=name, content=content, **fields)


def rests_on(*messages: MessageAdded) -> tuple[Evidence, ...]:
    return tuple(Evidence(m.id, m.session, m.seq) for m in messages)


def summed_up(kind: str, to_seq: int, tokens: int, **more: Any) -> SummaryProduced:
    fields = {
        "workspace": "w",
        "session": "s",
        "id": f"{kind}-{to_seq}",
        "from_seq": 1,
        "message": f"s-{to_seq}",
        "content": f"the {kind} story",
        "created_at": NOON,
        "engine": ENGINE,
    } | more
    return SummaryProduced(kind=kind, to_seq=to_seq, tokens=tokens, **fields)


def card(observer: str, observed: str, *entries: str) -> CardReplacedByOwner:
    return CardReplacedByOwner(
        workspace="w", observer=observer, observed=observed, entries=entries
    )
