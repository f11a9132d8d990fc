"""A session: its events, the small state folded from them, and its decisions.

The state never holds messages, so it stays small however long a session grows.
"""

from datetime import datetime
from typing import Any, ClassVar, Literal

import msgspec

from domain.configuration import Configuration, is_same, merge_configuration
from domain.erasure import (
    SessionDeleted,
    SessionErased,
    SessionErasureBegun,
    StreamErased,
)
from domain.errors import NotFound
from domain.event import Event, Personal
from domain.scope import SessionAddedToScope, SessionRemovedFromScope
from domain.withholding import (
    MessagesRestored,
    MessagesWithheld,
    after_withholding,
)

SummaryKind = Literal["short", "long"]


class SessionCreated(Event, frozen=True, kw_only=True, tag="session-created"):
    """A session was opened, by request or by the first message said in it."""

    sealed_for: ClassVar[tuple[str | None, str | None]] = ("session", None)

    session: str
    uid: str
    created_at: datetime
    metadata: Personal[dict[str, Any]] = {}
    configuration: Configuration = {}


class SessionConfigured(Event, frozen=True, kw_only=True, tag="session-configured"):
    """Metadata and configuration of a session are now these, as a whole."""

    sealed_for: ClassVar[tuple[str | None, str | None]] = ("session", None)

    session: str
    metadata: Personal[dict[str, Any]]
    configuration: Configuration


class PeerJoined(Event, frozen=True, kw_only=True, tag="peer-joined"):
    """A peer became an active member, or was asked in again while it was one."""

    session: str
    peer: str
    joined_at: datetime
    observe_me: bool | None = None
    observe_others: bool | None = None


class PeerLeft(Event, frozen=True, kw_only=True, tag="peer-left"):
    """An active member left; what it saw and said stays."""

    session: str
    peer: str
    left_at: datetime


class PeerRoleChanged(Event, frozen=True, kw_only=True, tag="peer-role-changed"):
    """A member's observation flags are now these, also if it has left."""

    session: str
    peer: str
    observe_me: bool | None = None
    observe_others: bool | None = None


class MessageAdded(Event, frozen=True, kw_only=True, tag="message-added"):
    """A peer said something.

    ``seq`` counts from 1 within the session without gaps. ``created_at`` is as
    sent, offset included (a naive one means UTC). ``tokens`` are o200k_base.
    ``derive`` and ``summaries`` are what the settings in force asked for when it
    was said (HC 5.3): whether to reason about it, and which summaries fall due.
    ``copy_of`` is the message of another session that a cloned one repeats, and
    ``received_at`` when it came, where ``created_at`` is a time the sender told.
    ``instructions`` are how to reason about this message, where it brought its own;
    ``language`` is what it is written in, where the settings say so.
    """

    sealed_for: ClassVar[tuple[str | None, str | None]] = ("session", "author")

    session: str
    id: str
    seq: int
    author: str
    created_at: datetime
    tokens: int
    content: Personal[str]
    metadata: Personal[dict[str, Any]] = {}
    derive: bool = True
    summaries: tuple[SummaryKind, ...] = ()
    copy_of: str | None = None
    received_at: datetime | None = None
    instructions: Personal[str | None] = None
    language: str | None = None


class Member(msgspec.Struct, frozen=True):
    """One peer's membership: its flags and whether it is active."""

    observe_me: bool | None = None
    observe_others: bool | None = None
    active: bool = True


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What decisions need to know of a session; ``scopes`` are public names.

    A ``deleted`` one is there until it is erased, but nothing may be added to it;
    once its erasure begins it ``exists`` no more, though its id is not free yet. What
    happened in it up to the position ``erased_through`` is of an erased one.
    ``withheld`` are messages that are not recalled, and the units that did it.
    """

    exists: bool = False
    deleted: bool = False
    erased_through: int = 0
    uid: str = ""
    created_at: datetime | None = None
    metadata: dict[str, Any] = {}
    configuration: Configuration = {}
    members: dict[str, Member] = {}
    scopes: tuple[str, ...] = ()
    last_seq: int = 0
    withheld: dict[str, str] = {}

    @property
    def active(self) -> bool:
        """Whether it is there and not deleted (HC E21)."""
        return self.exists and not self.deleted


def evolve_session(state: Session, event: Event) -> Session:
    """Fold one event into the state; events of other aggregates change nothing."""
    match event:
        case MessageAdded():
            return msgspec.structs.replace(state, last_seq=event.seq)
        case SessionCreated():
            return Session(
                exists=True,
                uid=event.uid,
                created_at=event.created_at,
                metadata=event.metadata,
                configuration=event.configuration,
                members=state.members,
                scopes=state.scopes,
                last_seq=state.last_seq,
                erased_through=state.erased_through,
                withheld=state.withheld,
            )
        case MessagesWithheld() | MessagesRestored():
            withheld = after_withholding(state.withheld, event)
            return msgspec.structs.replace(state, withheld=withheld)
        case SessionConfigured():
            return msgspec.structs.replace(
                state, metadata=event.metadata, configuration=event.configuration
            )
        case PeerJoined() | PeerRoleChanged() | PeerLeft():
            return _with_member(state, event)
        case _:
            return _going(_in_scopes(state, event), event)


def check_open(state: Session, named: tuple[str, str]) -> None:
    """Refuse to add to a session that is deleted and not erased yet (HC E21).

    Raises:
        NotFound
    """
    if state.deleted:
        raise _no_session(named)


def check_active(state: Session, named: tuple[str, str]) -> None:
    """Refuse a (workspace, session) that is not there, or is deleted.

    Raises:
        NotFound
    """
    if not state.active:
        raise _no_session(named)


def open_session(state: Session, event: SessionCreated) -> list[SessionCreated]:
    """Open it unless it exists.

    Raises:
        NotFound: it is deleted and its id not free yet.
    """
    check_open(state, (event.workspace, event.session))
    return [] if state.exists else [event]


def configure_session(
    state: Session,
    named: tuple[str, str],
    metadata: dict[str, Any] | None,
    configuration: Configuration | None,
) -> list[SessionConfigured]:
    """Replace metadata, merge configuration by section; None leaves (HC E20).

    Raises:
        NotFound: it is deleted.
    """
    check_open(state, named)
    new_metadata = state.metadata if metadata is None else metadata
    new_configuration = merge_configuration(state.configuration, configuration or {})
    stored = (state.metadata, state.configuration)
    if is_same((new_metadata, new_configuration), stored):
        return []
    workspace, session = named
    return [
        SessionConfigured(
            workspace=workspace,
            session=session,
            metadata=new_metadata,
            configuration=new_configuration,
        )
    ]


def delete_session(state: Session, event: SessionDeleted) -> list[SessionDeleted]:
    """Delete it, once.

    Raises:
        NotFound: it is not there, or was deleted before.
    """
    check_active(state, (event.workspace, event.session))
    return [event]


def begin_erasure(
    state: Session, event: SessionErasureBegun
) -> list[SessionErasureBegun]:
    """Let nothing be written in a deleted session any more."""
    return [event] if state.deleted and state.exists else []


def erase_session(state: Session, event: SessionErased) -> list[SessionErased]:
    """Free the id of a deleted session; one that was erased before stays erased."""
    return [event] if state.deleted else []


def _going(state: Session, event: Event) -> Session:
    match event:
        case SessionDeleted():
            return msgspec.structs.replace(state, deleted=True)
        case SessionErasureBegun():
            return msgspec.structs.replace(state, exists=False)
        case SessionErased() | StreamErased():
            return Session(erased_through=event.through)
        case _:
            return state


def _no_session(named: tuple[str, str]) -> NotFound:
    workspace, session = named
    return NotFound(f"Session {session} not found in workspace {workspace}")


def _with_member(
    state: Session, event: PeerJoined | PeerRoleChanged | PeerLeft
) -> Session:
    was = state.members.get(event.peer, Member())
    match event:
        case PeerJoined():
            member = Member(event.observe_me, event.observe_others)
        case PeerRoleChanged():
            member = Member(event.observe_me, event.observe_others, was.active)
        case _:
            member = msgspec.structs.replace(was, active=False)
    return msgspec.structs.replace(state, members={**state.members, event.peer: member})


def _in_scopes(state: Session, event: Event) -> Session:
    scopes = state.scopes
    match event:
        case SessionAddedToScope() if event.scope not in scopes:
            scopes = (*scopes, event.scope)
        case SessionRemovedFromScope():
            scopes = tuple(each for each in scopes if each != event.scope)
        case _:
            return state
    return msgspec.structs.replace(state, scopes=scopes)
