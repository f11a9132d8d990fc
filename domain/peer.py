"""A peer, person or agent: its events, its state, and what may be decided."""

from datetime import datetime
from typing import Any, ClassVar

import msgspec

from domain.configuration import is_same
from domain.event import Event, Personal
from domain.names import check_peer_name
from domain.scope import ScopeCreated


class PeerCreated(Event, frozen=True, kw_only=True, tag="peer-created"):
    """A peer came to be, by request or because it spoke or was named."""

    sealed_for: ClassVar[tuple[str | None, str | None]] = (None, "peer")

    peer: str
    uid: str
    created_at: datetime
    metadata: Personal[dict[str, Any]] = {}
    configuration: dict[str, Any] = {}


class PeerConfigured(Event, frozen=True, kw_only=True, tag="peer-configured"):
    """Metadata and configuration of a peer are now these, as a whole."""

    sealed_for: ClassVar[tuple[str | None, str | None]] = (None, "peer")

    peer: str
    metadata: Personal[dict[str, Any]]
    configuration: dict[str, Any]


SCOPE_CONFIGURATION: dict[str, Any] = {"observe_me": False}
"""The configuration a scope's hidden peer is listed with (HC 2.6)."""


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """What decisions need to know of a peer; ``is_scope`` marks a scope's hidden one.

    The mark is never a name or a setting a client could choose (X121).
    """

    exists: bool = False
    is_scope: bool = False
    uid: str = ""
    created_at: datetime | None = None
    metadata: dict[str, Any] = {}
    configuration: dict[str, Any] = {}

    @property
    def observe_me(self) -> bool:
        """Whether memory of this peer may be built where no session says (HC 5.3)."""
        value = self.configuration.get("observe_me")
        return value if isinstance(value, bool) else True


def evolve_peer(state: Peer, event: Event) -> Peer:
    """Fold one event into the state; events of other aggregates change nothing."""
    match event:
        case PeerCreated():
            return Peer(
                exists=True,
                uid=event.uid,
                created_at=event.created_at,
                metadata=event.metadata,
                configuration=event.configuration,
            )
        case ScopeCreated():
            return Peer(
                exists=True,
                is_scope=True,
                uid=event.uid,
                created_at=event.created_at,
                metadata=event.metadata,
                configuration=dict(SCOPE_CONFIGURATION),
            )
        case PeerConfigured():
            return msgspec.structs.replace(
                state, metadata=event.metadata, configuration=event.configuration
            )
        case _:
            return state


def create_peer(state: Peer, event: PeerCreated) -> list[PeerCreated]:
    """Create it unless it exists; a malformed new name is refused (HC 1.2)."""
    if state.exists:
        return []
    check_peer_name(event.peer)
    return [event]


def configure_peer(
    state: Peer,
    workspace: str,
    peer: str,
    metadata: dict[str, Any] | None,
    configuration: dict[str, Any] | None,
) -> list[PeerConfigured]:
    """Replace each field that is given; None leaves it (HC E09, E10)."""
    new_metadata = state.metadata if metadata is None else metadata
    new_configuration = state.configuration if configuration is None else configuration
    stored = (state.metadata, state.configuration)
    if is_same((new_metadata, new_configuration), stored):
        return []
    return [
        PeerConfigured(
            workspace=workspace,
            peer=peer,
            metadata=new_metadata,
            configuration=new_configuration,
        )
    ]
