"""A session: its events, the small state folded from them, and its decisions.

The state never holds messages, so it stays small however long a session grows.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

import msgspec

from domain.configuration import Configuration, is_same, merge_configuration
from domain.errors import NotFound, Refused
from domain.event import Event, Personal

MAX_OBSERVERS = 10
"""Active members with ``observe_others`` a session may have (HC 10)."""

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
    """A peer became an active member, for the first time or again."""

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
    """A member's observation flags are now these."""

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


class Member(msgspec.Struct, frozen=True):
    """One peer's membership: its flags and whether it is active."""

    observe_me: bool | None = None
    observe_others: bool | None = None
    active: bool = True


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """What decisions need to know of a session."""

    exists: bool = False
    uid: str = ""
    created_at: datetime | None = None
    metadata: dict[str, Any] = {}
    configuration: Configuration = {}
    members: dict[str, Member] = {}
    last_seq: int = 0


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A message about to be said: all but its number.

    ``derive`` and the two thresholds are the settings resolved for it.
    """

    id: str
    author: str
    content: str
    metadata: dict[str, Any]
    created_at: datetime
    tokens: int
    derive: bool
    short_every: int | None
    long_every: int | None


class Role(msgspec.Struct, frozen=True):
    """The membership flags a request asks for."""

    observe_me: bool | None = None
    observe_others: bool | None = None


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
            )
        case SessionConfigured():
            return msgspec.structs.replace(
                state, metadata=event.metadata, configuration=event.configuration
            )
        case PeerJoined() | PeerRoleChanged():
            member = Member(event.observe_me, event.observe_others)
            return _with_member(state, event.peer, member)
        case PeerLeft():
            member = state.members.get(event.peer, Member())
            left = msgspec.structs.replace(member, active=False)
            return _with_member(state, event.peer, left)
        case _:
            return state


def open_session(state: Session, event: SessionCreated) -> list[SessionCreated]:
    """Open it unless it exists."""
    return [] if state.exists else [event]


def configure_session(
    state: Session,
    named: tuple[str, str],
    metadata: dict[str, Any] | None,
    configuration: Configuration | None,
) -> list[SessionConfigured]:
    """Replace metadata, merge configuration by section; None leaves (HC E20)."""
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


def join_peers(
    state: Session,
    named: tuple[str, str],
    peers: Mapping[str, Role],
    joined_at: datetime,
) -> list[PeerJoined]:
    """Add members: an active one keeps its flags, one who left returns (HC 2.3).

    Raises:
        Refused: more than ten observers would be active (HC 1.12).
    """
    workspace, session = named
    joined = [
        PeerJoined(
            workspace=workspace,
            session=session,
            peer=peer,
            joined_at=joined_at,
            observe_me=role.observe_me,
            observe_others=role.observe_others,
        )
        for peer, role in peers.items()
        if peer not in state.members or not state.members[peer].active
    ]
    after = state
    for event in joined:
        after = evolve_session(after, event)
    if joined:
        _check_observers(after, session)
    return joined


def remove_peers(
    state: Session,
    named: tuple[str, str],
    peers: list[str],
    left_at: datetime,
) -> list[PeerLeft]:
    """Let active members leave; unknown or already gone ones are ignored (E25)."""
    workspace, session = named
    if not state.exists:
        raise NotFound(f"Session {session} not found in workspace {workspace}")
    return [
        PeerLeft(workspace=workspace, session=session, peer=peer, left_at=left_at)
        for peer in dict.fromkeys(peers)
        if peer in state.members and state.members[peer].active
    ]


def add_messages(
    state: Session, named: tuple[str, str], drafts: list[Draft]
) -> list[MessageAdded]:
    """Number the drafts after what was already said, in the order given (RS 1.1)."""
    workspace, session = named
    return [
        MessageAdded(
            workspace=workspace,
            session=session,
            id=draft.id,
            seq=seq,
            author=draft.author,
            created_at=draft.created_at,
            tokens=draft.tokens,
            content=draft.content,
            metadata=draft.metadata,
            derive=draft.derive,
            summaries=_summaries_due(draft, seq),
        )
        for seq, draft in enumerate(drafts, start=state.last_seq + 1)
    ]


def is_observed(state: Session, peer: str, peer_default: bool) -> bool:  # noqa: FBT001  a fact about the peer
    """Tell whether memory of this author may be built here (HC 5.3)."""
    member = state.members.get(peer)
    if member is not None and member.observe_me is not None:
        return member.observe_me
    return peer_default


def _with_member(state: Session, peer: str, member: Member) -> Session:
    return msgspec.structs.replace(state, members={**state.members, peer: member})


def _check_observers(state: Session, session: str) -> None:
    observers = sum(
        m.active and m.observe_others is True for m in state.members.values()
    )
    if observers > MAX_OBSERVERS:
        raise Refused(
            f"Cannot create session {session} with {observers} observers. Maximum "
            f"allowed is {MAX_OBSERVERS} observers per session. Observers are peers "
            "with 'observe_others' set to true."
        )


def _summaries_due(draft: Draft, seq: int) -> tuple[SummaryKind, ...]:
    due: list[SummaryKind] = []
    if draft.short_every and seq % draft.short_every == 0:
        due.append("short")
    if draft.long_every and seq % draft.long_every == 0:
        due.append("long")
    return tuple(due)
