"""Gives messages and conclusions their vectors, behind all requests (RS 9)."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from commands.decide import Decide
from commands.embedding import (
    RecordEmbeddings,
    record_embeddings,
    watch_embeddings,
)
from commands.living import Source, is_living
from domain.conclusion import ConclusionDerived
from domain.embedding import Embedded, Written, embedding_text
from domain.event import ERASED, Event
from domain.recorded import Recorded
from domain.session import MessageAdded
from processors.chunks import Chunking, chunks
from processors.following import cause_of, name_of
from processors.ports import Embedder, EmbeddingStore, Fingerprint
from processors.processor import Batch, Done, Outcome

AT_ONCE = 32
"""Most texts handed to the embedder in one call."""


class _Text(msgspec.Struct, frozen=True):
    """What of an event is embedded, or one chunk of it."""

    recorded: Recorded
    kind: Literal["message", "conclusion"]
    id: str
    text: str
    chunk: int = 0


class EmbedMemory:
    """Embeds each text once per model and records that its vector is there.

    A vector is stored under its text's fingerprint before the record says so; a
    text whose vector is there already never reaches the embedder. What is erased or
    empty has none.

    A model of another ``name`` begins at the beginning of the log. Without
    ``messages`` only conclusions are embedded; what was said meanwhile is passed by.
    A message longer than the model reads has a vector for each of its chunks.
    """

    def __init__(  # noqa: PLR0913  what it needs, and what may be chosen
        self,
        decide: Decide,
        embedder: Embedder,
        store: EmbeddingStore,
        fingerprint: Fingerprint,
        *,
        name: str = "embed_memory",
        messages: bool = True,
        chunking: Chunking | None = None,
        generation: int = 1,
    ) -> None:
        self.name = name
        self.handles: tuple[type[Event], ...] = (ConclusionDerived,)
        if messages:
            self.handles = (MessageAdded, ConclusionDerived)
        self._decide = decide
        self._embedder = embedder
        self._store = store
        self._fingerprint = fingerprint
        self._chunking = chunking
        self._generation = generation

    async def __call__(self, batch: Batch) -> Outcome:
        """Embed what is new in the batch, ``AT_ONCE`` texts at a time.

        Raises:
            Unavailable, Overloaded: it may succeed later.
        """
        tenant = batch.events[0].tenant
        seen = await self._decide.look(watch_embeddings(tenant, batch.ordering_key))
        through = seen.through.get(self._embedder.model, 0)
        new: list[_Text] = []
        for recorded in batch.events:
            if recorded.position <= through:
                continue
            found = _texts(recorded, self._chunking)
            # All of an event is recorded at once: what is recorded of it is complete.
            if new and len(new) + len(found) > AT_ONCE:
                await self._embed(batch.ordering_key, new)
                new = []
            new += found
        if new:
            await self._embed(batch.ordering_key, new)
        return Done()

    async def _embed(self, ordering_key: str, texts: Sequence[_Text]) -> None:
        """Store the vectors that are missing, then record that they are there."""
        events = [each.recorded for each in texts]
        tenant = events[0].tenant
        prints = await self._fingerprint(tenant, [each.text for each in texts])
        await self._store_missing(tenant, texts, prints)
        command = RecordEmbeddings(
            workspace=tenant,
            session=getattr(events[0].event, "session", None),
            ordering_key=ordering_key,
            name=name_of(
                f"embed_memory.{self._embedder.model}", self._generation, events
            ),
            model=self._embedder.model,
            dimensions=self._embedder.dimensions,
            written=tuple(
                Written(
                    text.recorded.position,
                    Embedded(text.kind, text.id, fingerprint, text.chunk),
                )
                for text, fingerprint in zip(texts, prints, strict=True)
            ),
            cause=cause_of(self.name, events[-1]),
        )
        await record_embeddings(self._decide, command)

    async def _store_missing(
        self, tenant: str, texts: Sequence[_Text], prints: Sequence[str]
    ) -> None:
        model = self._embedder.model
        there = await self._store.get_many(tenant, model, prints)
        missing = {
            fingerprint: text.text
            for text, fingerprint in zip(texts, prints, strict=True)
            if fingerprint not in there
        }
        if missing:
            vectors = await self._embedder.embed(list(missing.values()))
            # Else a vector is left that no record names, and no erasure finds.
            source = _source(texts[0].recorded)
            if await is_living(self._decide, source, surely=True):
                await self._store.put_many(
                    tenant, model, dict(zip(missing, vectors, strict=True))
                )


def _source(recorded: Recorded) -> Source:
    session = getattr(recorded.event, "session", None)
    return Source(recorded.tenant, session, recorded.position)


def _texts(recorded: Recorded, chunking: Chunking | None) -> list[_Text]:
    """Return what of the event is embedded; each chunk tells who spoke."""
    match recorded.event:
        case MessageAdded(content=content) if content not in {"", ERASED}:
            event = recorded.event
            cut = [content] if chunking is None else chunks(content, chunking)
            return [
                _Text(
                    recorded,
                    "message",
                    event.id,
                    embedding_text(event.author, each),
                    chunk,
                )
                for chunk, each in enumerate(cut)
            ]
        case ConclusionDerived(content=content) if content not in {"", ERASED}:
            return [_Text(recorded, "conclusion", recorded.event.id, content)]
        case _:
            return []
