"""Who is in a session: what may be decided about its members."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from domain.errors import Refused
from domain.session import (
    PeerJoined,
    PeerLeft,
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
) -> list[PeerJoined]:
    """Add members: an active one keeps its flags, one who left returns (HC 2.3).

    Raises:
        NotFound: the session is deleted.
        Refused: more than ten observers would be active (HC 1.12).
    """
    check_open(state, named)
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
