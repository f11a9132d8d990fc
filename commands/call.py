"""Record what calls of models took, whatever came of them."""

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID, uuid4

from commands.decide import Decide, Reason
from commands.parents import watch_named_workspace
from commands.ports import CommandIdentity
from domain.call import LLMCallRecorded
from domain.names import call_stream
from domain.recorded import Cause
from domain.workspace import Workspace


async def record_calls(
    decide: Decide, workspace: str, calls: Sequence[LLMCallRecorded]
) -> int | None:
    """Append ``LLMCallRecorded`` for each, once; None if the workspace is erased.

    Returns the position of the last. Each is a command of its own, known by the call's
    id: of processes that tell of a call at once, or again, the first is heard, whatever
    the others say of it. All that come together share a commit.

    Raises:
        Overloaded: see ``commands.ports``; what was appended is not appended again.
    """
    positions = await asyncio.gather(
        *(_record(decide, workspace, each) for each in calls)
    )
    return max((each for each in positions if each is not None), default=None)


async def _record(decide: Decide, workspace: str, call: LLMCallRecorded) -> int | None:
    stream = call_stream(workspace)
    appended = await decide(
        workspace,
        (watch_named_workspace(workspace),),
        lambda states: {stream: () if _is_erased(states[0]) else (call,)},
        Reason(Cause(actor="ledger", correlation_id=uuid4()), _once(call), is_new=True),
    )
    return None if appended is None else appended.last


def _once(call: LLMCallRecorded) -> CommandIdentity:
    """Return what a call is told as: that it ended, not how it was thought to end."""
    return CommandIdentity(UUID(call.id), sha256(f"call {call.id}".encode()).digest())


def _is_erased(workspace: Workspace) -> bool:
    gone = workspace.erased_through > 0 and not workspace.exists
    return workspace.erasing or gone
