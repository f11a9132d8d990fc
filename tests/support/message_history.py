"""What happens to messages that are there, for arbitrary histories."""

from collections.abc import Sequence

from domain.event import Event
from domain.fork import SessionForked
from domain.message import MessageMetadataChanged
from domain.session import MessageAdded


def message_events(
    session: str, said: Sequence[MessageAdded], number: int
) -> list[Event]:
    """Change one's metadata, or complete the fork that the copies belong to."""
    if not said:
        return []
    message = said[number % len(said)]
    if number % 3:
        return [
            MessageMetadataChanged(
                workspace="w",
                session=session,
                id=message.id,
                author=message.author,
                metadata={"n": number % 4},
            )
        ]
    forked = SessionForked(
        workspace="w", session=session, source="other", through_seq=message.seq
    )
    return [forked]
