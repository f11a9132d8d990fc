"""Ask that what waits, failed or was passed over in a session be derived now."""

import msgspec

from commands.decide import Reason
from commands.derivation import watch_derivation
from commands.parents import (
    check_settled,
    watch_named_session,
    watch_named_workspace,
)
from commands.proposal import Proposal
from commands.write import Write
from domain.derivation import Asked, DerivationRedriven, DerivationRequested
from domain.deriving import redrive, request
from domain.session import check_active


class RequestDerivation(msgspec.Struct, frozen=True, kw_only=True):
    """Derive what waits in a session without waiting on; ``reason`` says why not.

    A ``redrive`` tries what failed as if for the first time, and what was passed over
    once more.
    """

    workspace: str
    session: str
    reason: Asked


class Requested(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: ranges of messages, first and last number, and the position.

    ``waiting`` is what was to be derived next, None if nothing was to, or it was asked
    for already; ``redriven`` was passed over before.
    """

    waiting: tuple[int, int] | None
    redriven: tuple[tuple[int, int], ...]
    position: int


async def request_derivation(
    write: Write, command: RequestDerivation, reason: Reason
) -> Requested:
    """Record the wish; whoever derives follows it.

    Raises:
        NotFound: there is no such session.
    """
    named = (command.workspace, command.session)
    place = watch_named_workspace(command.workspace)
    session = watch_named_session(*named)
    derivation = watch_derivation(*named)

    def decision(proposal: Proposal) -> None:
        check_settled(proposal, place)
        said = proposal.state(session)
        check_active(said, named)
        state = proposal.state(derivation)
        if command.reason == "redrive":
            proposal.record(derivation, redrive(state, named))
        asked = request(state, named, said.last_seq, command.reason)
        proposal.record(derivation, asked)

    written = await write(derivation, (place, session), decision, reason)
    waiting, redriven = None, []
    for event in written.events:
        match event:
            case DerivationRequested():
                waiting = (event.first_seq, event.through_seq)
            case DerivationRedriven():
                redriven.append((event.first_seq, event.last_seq))
            case _:
                pass
    return Requested(
        waiting=waiting, redriven=tuple(redriven), position=written.position
    )
