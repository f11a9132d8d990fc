"""Replace a peer card."""

import msgspec

from commands.decide import Reason, Watched
from commands.parents import (
    found_peers,
    found_workspace,
    watch_peer,
    watch_reserved,
    watch_workspace,
)
from commands.proposal import Proposal
from commands.write import Birth, Write, Written
from domain.card import Card, evolve_card
from domain.card import replace_card as replace
from domain.names import card_stream, check_pair
from domain.observed import refuse_unobservable


class ReplaceCard(msgspec.Struct, frozen=True, kw_only=True):
    """What ``observer`` holds of ``observed`` is now this list (HC E15)."""

    workspace: str
    observer: str
    observed: str
    entries: tuple[str, ...]


def watch_card(workspace: str, observer: str, observed: str) -> Watched[Card]:
    """Look at one card; whom it is about need not exist (HC E15).

    Raises:
        Invalid: the name cannot even be stored.
    """
    check_pair(workspace, observer, observed)
    return Watched(card_stream(workspace, observer, observed), Card(), evolve_card)


async def replace_card(
    write: Write, command: ReplaceCard, reason: Reason
) -> Written[Card]:
    """Replace the card; makes workspace and observer on demand.

    Raises:
        Invalid: the workspace's or the observer's name could never be one, or a scope
            would be observed.
    """
    workspace = watch_workspace(command.workspace)
    observer = {command.observer: watch_peer(command.workspace, command.observer)}
    observed = watch_reserved(command.workspace, [command.observed])
    card = watch_card(command.workspace, command.observer, command.observed)
    named = (command.workspace, command.observer, command.observed)
    birth = Birth(write.clock(), write.new_id)

    def decision(proposal: Proposal) -> None:
        for name, peer in observed.items():
            refuse_unobservable(proposal.state(peer), name)
        found_workspace(proposal, workspace, birth)
        found_peers(proposal, observer, birth)
        proposal.record(card, replace(proposal.state(card), named, command.entries))

    peers = observer | observed
    return await write(card, (workspace, *peers.values()), decision, reason)
