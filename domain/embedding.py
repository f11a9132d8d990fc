"""Which texts have vectors: recorded, so that no replay ever asks an embedder."""

from typing import Literal

import msgspec

from domain.event import Event


class Embedded(msgspec.Struct, frozen=True):
    """One text with a vector: what it belongs to and its fingerprint.

    ``fingerprint`` is the text's hash under a key of the workspace, the key of its
    vector in the ``embedding`` store.
    """

    kind: Literal["message", "conclusion"]
    id: str
    fingerprint: str


class EmbeddingRecorded(Event, frozen=True, kw_only=True, tag="embedding-recorded"):
    """These texts' vectors are in the ``embedding`` store under this model."""

    session: str | None
    model: str
    dimensions: int
    items: tuple[Embedded, ...]


class Embeddings(msgspec.Struct, frozen=True):
    """Nothing needs to be remembered: a second record of a text is harmless."""


def evolve_embeddings(state: Embeddings, _event: Event) -> Embeddings:
    """Change nothing."""
    return state
