"""Which texts have vectors: recorded, so that no replay ever asks an embedder."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from domain.event import Event


class Embedded(msgspec.Struct, frozen=True):
    """One text with a vector: what it belongs to and its fingerprint.

    ``fingerprint`` is the text's hash under a key of the workspace, the key of its
    vector in the ``embedding`` store. A text longer than its model reads has several,
    one for each ``chunk``, numbered from 0 when it was cut.
    """

    kind: Literal["message", "conclusion"]
    id: str
    fingerprint: str
    chunk: int = 0


class EmbeddingRecorded(Event, frozen=True, kw_only=True, tag="embedding-recorded"):
    """These texts' vectors are in the ``embedding`` store under this model.

    ``through`` is the position of the newest event whose text is among ``items``.
    """

    session: str | None
    model: str
    dimensions: int
    items: tuple[Embedded, ...]
    through: int = 0


class Embeddings(msgspec.Struct, frozen=True):
    """How far a stream's texts have vectors: for each model, a log position."""

    through: dict[str, int] = {}


class Written(msgspec.Struct, frozen=True):
    """A text that was embedded, and the position of the event that holds it."""

    position: int
    item: Embedded


def evolve_embeddings(state: Embeddings, event: Event) -> Embeddings:
    """Fold one event into the state; events of other aggregates change nothing."""
    if not isinstance(event, EmbeddingRecorded):
        return state
    through = max(event.through, state.through.get(event.model, 0))
    return Embeddings({**state.through, event.model: through})


def record_embeddings(
    state: Embeddings,
    named: tuple[str, str | None],
    model: tuple[str, int],
    written: Sequence[Written],
) -> list[EmbeddingRecorded]:
    """Record texts of (workspace, session or none) that are not yet recorded.

    ``model`` is its name and its dimensions.
    """
    name, dimensions = model
    known = state.through.get(name, 0)
    fresh = [each for each in written if each.position > known]
    if not fresh:
        return []
    workspace, session = named
    return [
        EmbeddingRecorded(
            workspace=workspace,
            session=session,
            model=name,
            dimensions=dimensions,
            items=tuple(each.item for each in fresh),
            through=fresh[-1].position,
        )
    ]


def embedding_text(author: str, content: str) -> str:
    """Return what of a message is embedded: who spoke is part of what was said."""
    return f"{author}: {content}"
