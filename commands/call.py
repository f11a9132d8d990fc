"""Record what calls of models took, whatever came of them."""

from collections.abc import Sequence
from uuid import uuid4

from commands.decide import Decide, Reason
from commands.parents import watch_named_workspace
from domain.call import LLMCallRecorded
from domain.names import call_stream
from domain.recorded import Cause
from domain.workspace import Workspace


async def record_calls(
    decide: Decide, workspace: str, calls: Sequence[LLMCallRecorded]
) -> int | None:
    """Append ``LLMCallRecorded`` for each; None if the workspace is erased.

    Returns the position of the last. Nobody decides upon the stream, so appends to
    it never conflict.

    Raises:
        Overloaded: see ``commands.ports``.
    """
    watched = watch_named_workspace(workspace)
    stream = call_stream(workspace)
    appended = await decide(
        workspace,
        (watched,),
        lambda states: {stream: () if _is_erased(states[0]) else calls},
        Reason(Cause(actor="ledger", correlation_id=uuid4())),
    )
    return None if appended is None else appended.last


def _is_erased(workspace: Workspace) -> bool:
    gone = workspace.erased_through > 0 and not workspace.exists
    return workspace.erasing or gone
