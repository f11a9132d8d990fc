"""What every event is made of: the struct, its tag, and what of it is personal.

Names and fields are the storage format: they are never edited. A new field has a
default; any other change is a new tag (``message-added@2``) with an upcaster.
Personal fields are sealed under a data key of (session or none, subject), so that
destroying the key makes them unreadable everywhere (architecture section 2).
"""

from typing import Annotated, ClassVar, TypeVar

import msgspec

T = TypeVar("T")

Personal = Annotated[T, msgspec.Meta(extra={"personal": True})]
"""Marks a field that tells of a person and is sealed before it is stored."""

EVERYONE = "*"
"""The subject of what belongs to a session or workspace and to no one peer."""

ERASED = "[erased]"
"""What a sealed text reads once its key is destroyed."""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """A fact. Subclasses give an explicit tag and are frozen for ever.

    ``sealed_for`` names the fields that hold the session (or None) and the subject
    (or None, meaning everyone) whose key seals the personal fields.
    """

    sealed_for: ClassVar[tuple[str | None, str | None]] = (None, None)

    workspace: str


def tag_of(event: type[Event] | Event) -> str:
    """Return the stored tag of an event or its class."""
    return str(event.__struct_config__.tag)


class Subject(msgspec.Struct, frozen=True):
    """Whose data key seals an event: tenant, session or none, peer or everyone."""

    tenant: str
    session: str | None
    peer: str


def subject_of(event: Event) -> Subject:
    """Return whose key seals this event's personal fields."""
    session_field, peer_field = event.sealed_for
    session = getattr(event, session_field) if session_field else None
    peer = getattr(event, peer_field) if peer_field else None
    return Subject(event.workspace, session, EVERYONE if peer is None else peer)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What asking an engine took, once or several times, as it was measured then.

    ``latency_ms`` are milliseconds of a monotonic clock, waits between attempts
    included; ``attempts`` counts requests, those that failed included.
    ``cost_usd_micros`` are millionths of a dollar at the prices set then, None where
    the model had no price. ``answered_by`` is the transport and model that answered
    in place of the one that was asked first, None where that one did. ``ids`` are
    those the calls are recorded under.
    """

    latency_ms: float = 0.0
    attempts: int = 1
    cost_usd_micros: int | None = None
    answered_by: str | None = None
    ids: tuple[str, ...] = ()

    def __add__(self, other: "Call") -> "Call":
        """Add up what several calls took; of unknown cost if one of them is."""
        costs = (self.cost_usd_micros, other.cost_usd_micros)
        known = [each for each in costs if each is not None]
        return Call(
            latency_ms=round(self.latency_ms + other.latency_ms, 3),
            attempts=self.attempts + other.attempts,
            cost_usd_micros=sum(known) if len(known) == len(costs) else None,
            answered_by=other.answered_by or self.answered_by,
            ids=(*self.ids, *other.ids),
        )


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """What produced a derived event: recorded in it, so a replay asks no one.

    ``name`` is ``offline`` or a transport; ``version`` is the engine's or the
    prompt's; ``parameters`` and ``usage`` are free-form and small. ``prompt`` is its
    id and version, ``prompt_hash`` the SHA-256 of its template; ``call`` is None
    where it is not known, or recorded elsewhere.
    """

    name: str
    version: str
    model: str | None = None
    prompt: str | None = None
    parameters: dict[str, str] = {}
    usage: dict[str, int] = {}
    prompt_hash: str | None = None
    call: Call | None = None
