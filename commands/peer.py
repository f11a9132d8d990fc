"""Let a peer exist, with this metadata and configuration."""

from typing import Any

import msgspec

from commands.decide import Reason
from commands.parents import found_workspace, watch_peer, watch_workspace
from commands.proposal import Proposal
from commands.write import Birth, Write, Written
from domain.errors import Invalid
from domain.peer import Peer, PeerCreated, configure_peer, create_peer


class SetPeer(msgspec.Struct, frozen=True, kw_only=True):
    """Create the peer or replace what is given; None leaves it (HC E09, E10)."""

    workspace: str
    peer: str
    metadata: dict[str, Any] | None
    configuration: dict[str, Any] | None


async def set_peer(write: Write, command: SetPeer, reason: Reason) -> Written[Peer]:
    """Create the peer, and its workspace, or set up the one there is.

    Raises:
        Invalid: a name could never be one, or the peer is a scope.
    """
    workspace = watch_workspace(command.workspace)
    peer = watch_peer(command.workspace, command.peer)
    birth = Birth(write.clock(), write.new_id)
    created = PeerCreated(
        workspace=command.workspace,
        peer=command.peer,
        uid=birth.uid(peer),
        created_at=birth.at,
        metadata=command.metadata or {},
        configuration=command.configuration or {},
    )

    def decision(proposal: Proposal) -> None:
        if proposal.state(peer).is_scope:
            raise Invalid(
                f"Peer '{command.peer}' is a scope."
                " Use the scopes routes to manage scopes."
            )
        found_workspace(proposal, workspace, birth)
        proposal.record(peer, create_peer(proposal.state(peer), created))
        proposal.record(
            peer,
            configure_peer(
                proposal.state(peer),
                command.workspace,
                command.peer,
                command.metadata,
                command.configuration,
            ),
        )

    return await write(peer, (workspace,), decision, reason)
