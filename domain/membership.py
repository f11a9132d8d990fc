"""Who is in a session: what may be decided about its members."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from domain.errors import Refused
from domain.event import Event
from domain.session import (
    PeerJoined,
    PeerLeft,
    PeerRoleChanged,
    Session,
    check_active,
    check_open,
    evolve_session,
)

MAX_OBSERVERS = 10
"""Active members with ``observe_others`` a session may have (HC 10)."""


class Role(msgspec.Struct, frozen=True):
    """The membership flags a request asks for."""

    observe_me: bool | None = None
    observe_others: bool | None = None


def join_peers(
    state: Session,
    named: tuple[str, str],
    peers: Mapping[str, Role],
    joined_at: datetime,
    most: int = MAX_OBSERVERS,
) -> list[PeerJoined]:
    """Add members by request: all of them have joined now (HC 2.3).

    An active one keeps its flags; one who left returns with those asked for.

    Raises:
        NotFound: the session is deleted.
        Refused: more than ``most`` observers would be active (HC 1.12).
    """
    check_open(state, named)
    kept = {
        peer: Role(member.observe_me, member.observe_others)
        for peer in peers
        if (member := state.members.get(peer)) is not None and member.active
    }
    joined = _joined(named, {**peers, **kept}, joined_at)
    _check_observers(state, joined, named[1], most)
    return joined


def join_authors(
    state: Session, named: tuple[str, str], authors: Iterable[str], joined_at: datetime
) -> list[PeerJoined]:
    """Add those who speak and are not members, without flags (HC 2.3).

    That an active one has joined anew is told by what it says.

    Raises:
        NotFound: the session is deleted.
    """
    check_open(state, named)
    new = {
        author: Role()
        for author in authors
        if author not in state.members or not state.members[author].active
    }
    return _joined(named, new, joined_at)


def set_peers(
    state: Session,
    named: tuple[str, str],
    peers: Mapping[str, Role],
    at: datetime,
    most: int = MAX_OBSERVERS,
) -> list[PeerLeft | PeerJoined]:
    """Let all leave who are not named, the others have the flags asked for (HC E24).

    Raises:
        NotFound: there is no such session, or it is deleted.
        Refused: more than ``most`` observers would be active (HC 1.12).
    """
    gone = [peer for peer in state.members if peer not in peers]
    after: list[PeerLeft | PeerJoined] = [
        *remove_peers(state, named, gone, at),
        *_joined(named, peers, at),
    ]
    _check_observers(state, after, named[1], most)
    return after


def change_role(
    state: Session,
    named: tuple[str, str],
    member: tuple[str, Role],
    at: datetime,
    most: int = MAX_OBSERVERS,
) -> list[PeerRoleChanged | PeerJoined]:
    """Give a member those flags that are not None; no member becomes one (HC E28).

    One who left stays away.

    Raises:
        NotFound: there is no such session, or it is deleted.
        Refused: more than ``most`` observers would be active (HC 1.12).
    """
    check_active(state, named)
    peer, asked = member
    known = state.members.get(peer)
    changed: list[PeerRoleChanged | PeerJoined] = []
    if known is None:
        changed.extend(_joined(named, {peer: asked}, at))
    else:
        role = _merged(Role(known.observe_me, known.observe_others), asked)
        if role != Role(known.observe_me, known.observe_others):
            changed.append(_role_changed(named, peer, role))
    _check_observers(state, changed, named[1], most)
    return changed


def remove_peers(
    state: Session,
    named: tuple[str, str],
    peers: list[str],
    left_at: datetime,
) -> list[PeerLeft]:
    """Let active members leave; unknown or already gone ones are ignored (E25).

    Raises:
        NotFound: there is no such session, or it is deleted.
    """
    check_active(state, named)
    workspace, session = named
    return [
        PeerLeft(workspace=workspace, session=session, peer=peer, left_at=left_at)
        for peer in dict.fromkeys(peers)
        if peer in state.members and state.members[peer].active
    ]


def is_observed(state: Session, peer: str, peer_default: bool) -> bool:  # noqa: FBT001  a fact about the peer
    """Tell whether memory of this author may be built here (HC 5.3)."""
    member = state.members.get(peer)
    if member is not None and member.observe_me is not None:
        return member.observe_me
    return peer_default


def _joined(
    named: tuple[str, str], peers: Mapping[str, Role], at: datetime
) -> list[PeerJoined]:
    workspace, session = named
    return [
        PeerJoined(
            workspace=workspace,
            session=session,
            peer=peer,
            joined_at=at,
            observe_me=role.observe_me,
            observe_others=role.observe_others,
        )
        for peer, role in peers.items()
    ]


def _role_changed(named: tuple[str, str], peer: str, role: Role) -> PeerRoleChanged:
    workspace, session = named
    return PeerRoleChanged(
        workspace=workspace,
        session=session,
        peer=peer,
        observe_me=role.observe_me,
        observe_others=role.observe_others,
    )


def _merged(known: Role, asked: Role) -> Role:
    return Role(
        known.observe_me if asked.observe_me is None else asked.observe_me,
        known.observe_others if asked.observe_others is None else asked.observe_others,
    )


def _check_observers(
    state: Session, changes: Sequence[Event], session: str, most: int
) -> None:
    """Refuse changes that bring the observers above the limit.

    Where a lowered limit finds more of them, what adds none is still accepted.
    """
    after = state
    for event in changes:
        after = evolve_session(after, event)
    observers = _observers(after)
    if observers > max(most, _observers(state)):
        raise Refused(
            f"Cannot create session {session} with {observers} observers. Maximum "
            f"allowed is {most} observers per session. Observers are peers "
            "with 'observe_others' set to true."
        )


def _observers(state: Session) -> int:
    return sum(m.active and m.observe_others is True for m in state.members.values())
