"""Replace the metadata of a message."""

from typing import Any

import msgspec

from commands.decide import Reason
from commands.parents import watch_named_session
from commands.ports import FindMessage, StoredMessage
from commands.proposal import Proposal
from commands.write import Write
from domain.errors import NotFound
from domain.message import MessageMetadataChanged, change_metadata

_UNKNOWN = "Message not found"


class ChangeMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """The message's metadata is this; None leaves it (HC E36)."""

    workspace: str
    session: str
    message: str
    metadata: dict[str, Any] | None


class Changed(msgspec.Struct, frozen=True):
    """The message as it stands now, and the position by which it reads so."""

    message: StoredMessage
    position: int


async def change_message(
    write: Write, find: FindMessage, command: ChangeMetadata, reason: Reason
) -> Changed:
    """Replace it, also in a session that is deleted and not erased yet (HC E21).

    Raises:
        NotFound: the session holds no such message.
    """
    try:
        session = watch_named_session(command.workspace, command.session)
    except NotFound:
        raise NotFound(_UNKNOWN) from None
    stored = await find(command.workspace, command.session, command.message)
    if stored is None:
        raise NotFound(_UNKNOWN)
    asked = MessageMetadataChanged(
        workspace=command.workspace,
        session=command.session,
        id=command.message,
        author=stored.author,
        metadata=stored.metadata if command.metadata is None else command.metadata,
    )

    def decision(proposal: Proposal) -> None:
        if not proposal.state(session).exists:
            raise NotFound(_UNKNOWN)
        proposal.record(session, change_metadata(stored.metadata, asked))

    written = await write(session, (), decision, reason)
    changed = msgspec.structs.replace(stored, metadata=asked.metadata)
    return Changed(changed, written.position)
