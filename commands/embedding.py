"""Record which texts of an ordering key have vectors in the store."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from commands.decide import Decide, Reason
from commands.identity import processor_command
from commands.living import Source, decide_if_living
from commands.ports import Appended
from commands.watched import Watched
from domain.embedding import (
    Embeddings,
    Written,
    evolve_embeddings,
)
from domain.embedding import (
    record_embeddings as record,
)
from domain.event import Event
from domain.names import Stream, embedding_stream
from domain.recorded import Cause


class RecordEmbeddings(msgspec.Struct, frozen=True, kw_only=True):
    """These texts have vectors under ``model``; their vectors are already stored.

    ``name`` identifies the command within the workspace; ``session`` is the session
    all of the texts belong to, or None.
    """

    workspace: str
    session: str | None
    ordering_key: str
    name: str
    model: str
    dimensions: int
    written: tuple[Written, ...]
    cause: Cause


def watch_embeddings(workspace: str, ordering_key: str) -> Watched[Embeddings]:
    """Return how far a key's texts have vectors, as a stream to look at."""
    stream = embedding_stream(workspace, ordering_key)
    return Watched(stream, Embeddings(), evolve_embeddings)


async def record_embeddings(
    decide: Decide, command: RecordEmbeddings
) -> Appended | None:
    """Append ``EmbeddingRecorded``; None if it was recorded before, or is erased.

    Raises:
        Overloaded, WrongExpectedVersion: see ``commands.ports``.
    """
    identity = processor_command(command.workspace, command.name)
    texts = watch_embeddings(command.workspace, command.ordering_key)
    named = (command.workspace, command.session)
    model = (command.model, command.dimensions)

    def decision(states: Sequence[Any]) -> Mapping[Stream, Sequence[Event]]:
        return {texts.stream: record(states[0], named, model, command.written)}

    cause = msgspec.structs.replace(command.cause, command_id=identity.id)
    source = Source(*named, command.written[0].position)
    return await decide_if_living(
        decide, source, (texts,), decision, Reason(cause, identity, is_new=True)
    )
