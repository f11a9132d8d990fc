"""Replace a peer card, or edit it line by line."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from commands.decide import Decide, Reason
from commands.grounds import Ground, GroundStreams
from commands.identity import processor_command
from commands.living import Source, decide_if_living
from commands.parents import (
    found_peers,
    found_workspace,
    watch_peer,
    watch_reserved,
    watch_workspace,
)
from commands.ports import Appended
from commands.proposal import Proposal
from commands.reach import Reach
from commands.watched import Watched
from commands.write import Birth, Write, Written
from domain.card import Card, evolve_card
from domain.card import replace_card as replace
from domain.card_edit import CardEdit, Edited, WantedLine
from domain.card_edit import edit_card as edit_one_card
from domain.card_form import CardForm
from domain.event import Event
from domain.names import Stream, card_stream, check_pair, public_id
from domain.observed import refuse_unobservable
from domain.recorded import Cause


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
    write: Write, reach: Reach, command: ReplaceCard, reason: Reason
) -> Written[Card]:
    """Replace the card; makes workspace and observer on demand.

    Raises:
        Invalid: the workspace's or the observer's name could never be one, or a scope
            would be observed.
        Overloaded: the views are behind that tell which of an agent's lines stand.
    """
    workspace = watch_workspace(command.workspace)
    observer = {command.observer: watch_peer(command.workspace, command.observer)}
    observed = watch_reserved(command.workspace, [command.observed])
    card = watch_card(command.workspace, command.observer, command.observed)
    named = (command.workspace, command.observer, command.observed)
    birth = Birth(write.clock(), write.new_id)
    lines = (await write.decide.look_anew(card)).lines or ()
    shown: frozenset[str] = frozenset()
    if any(not line.pinned and line.text in command.entries for line in lines):
        shown = await reach.shown_lines(named)

    def decision(proposal: Proposal) -> None:
        for name, peer in observed.items():
            refuse_unobservable(proposal.state(peer), name)
        found_workspace(proposal, workspace, birth)
        found_peers(proposal, observer, birth)
        proposal.record(
            card, replace(proposal.state(card), named, command.entries, shown)
        )

    peers = observer | observed
    return await write(card, (workspace, *peers.values()), decision, reason)


class EditCard(msgspec.Struct, frozen=True, kw_only=True):
    """An agent wants the card of a pair to be this list (RS 5).

    ``name`` identifies the command within the workspace, ``run`` is the dream and
    ``position`` where in the log it was scheduled. ``shown`` are the lines the agent
    was given, of the card's ``version``; ``grounds`` are the conclusions that may be
    evidence.
    """

    workspace: str
    observer: str
    observed: str
    name: str
    run: str
    position: int
    wanted: tuple[WantedLine, ...]
    shown: tuple[str, ...]
    version: int
    grounds: tuple[Ground, ...]
    form: CardForm
    cause: Cause


async def edit_card(
    decide: Decide, command: EditCard
) -> tuple[Appended | None, Edited | None]:
    """Append what changes line by line, and tell what was refused.

    Nothing is told of a command that was carried out before.

    Raises:
        CardChanged: the card is not as the agent was shown it.
        Overloaded, WrongExpectedVersion: see ``commands.ports``.
    """
    identity = processor_command(command.workspace, command.name)
    card = watch_card(command.workspace, command.observer, command.observed)
    streams = GroundStreams(command.workspace, command.grounds)
    edit = CardEdit(
        workspace=command.workspace,
        observer=command.observer,
        observed=command.observed,
        wanted=command.wanted,
        shown=command.shown,
        version=command.version,
        ids=[public_id(identity.id.bytes, n) for n in range(len(command.wanted))],
        run=command.run,
    )
    told = {each.id: each.sessions for each in command.grounds}
    edited: Edited | None = None

    def decision(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
        nonlocal edited
        holding = {each: told[each] for each in streams.holding(states[1:])}
        edited = edit_one_card(states[0], edit, holding, command.form)
        return {card.stream: edited.changes}

    cause = msgspec.structs.replace(command.cause, command_id=identity.id)
    source = Source(command.workspace, None, command.position)
    watched = (card, *streams.watched)
    reason = Reason(cause, identity)
    appended = await decide_if_living(decide, source, watched, decision, reason)
    return appended, edited
