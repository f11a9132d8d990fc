"""Finds which known conclusion a new one only says again; fulfils ``Neighbours``."""

import sys
from array import array
from collections.abc import Sequence
from itertools import starmap
from math import sqrt
from operator import mul

from commands.decide import Decide
from commands.living import Source, is_living
from infra.background_embedder import BackgroundEmbedder
from infra.embedder.serving import Serving
from infra.postgres.log import PostgresLog
from processors.ports import Embedder, EmbeddingStore, Fingerprint, Neighbour
from projections.neighbours import find_nearest
from projections.ports import Database


class StoredNeighbours:
    """Vectors that serve now: of what is held, from the views, and of what is asked.

    A vector made for this is stored as any is, so that it is made once.
    """

    def __init__(
        self,
        decide: Decide,
        serving: Serving,
        log: PostgresLog,
        database: Database,
    ) -> None:
        self._decide = decide
        self._serving = serving
        self._store: EmbeddingStore = log.embeddings
        self._fingerprint: Fingerprint = log.fingerprint
        self._database = database

    async def nearest(
        self, source: Source, told: Sequence[tuple[str, str]]
    ) -> Sequence[Neighbour | None]:
        """Return for each what is held of its peer, or told before it, and nearest.

        Raises:
            Unavailable: no embedder answers now.
        """
        if not told or source.session is None:
            return [None] * len(told)
        embedder = BackgroundEmbedder(self._serving.source)
        contents = [content for _, content in told]
        vectors = await self._vectors(source, embedder, contents)
        asked = [
            (peer, vector) for (peer, _), vector in zip(told, vectors, strict=True)
        ]
        named = (source.workspace, source.session)
        model = (embedder.model, embedder.dimensions)
        async with self._database.acquire() as db:
            held = await find_nearest(db, named, model, asked)
        found: list[Neighbour | None] = []
        for number, (peer, vector) in enumerate(asked):
            before = [
                Neighbour(told[other][1], _distance(vector, there))
                for other, (author, there) in enumerate(asked[:number])
                if author == peer
            ]
            known = held[number]
            if known is not None:
                before.append(Neighbour(known.content, known.distance))
            found.append(min(before, key=lambda each: each.distance, default=None))
        return found

    async def _vectors(
        self, source: Source, embedder: Embedder, contents: Sequence[str]
    ) -> list[Sequence[float]]:
        tenant, model = source.workspace, embedder.model
        prints = await self._fingerprint(tenant, contents)
        there = dict(await self._store.get_many(tenant, model, prints))
        texts = dict(zip(prints, contents, strict=True))
        missing = {key: text for key, text in texts.items() if key not in there}
        if missing:
            made = await embedder.embed(list(missing.values()))
            vectors = dict(zip(missing, made, strict=True))
            there.update(vectors)
            # Else a vector is left that no record names, and no erasure finds.
            if await is_living(self._decide, source):
                await self._store.put_many(tenant, model, vectors)
        return [_numbers(there[each]) for each in prints]


def _numbers(vector: bytes) -> Sequence[float]:
    numbers = array("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _distance(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine distance: 0 where two point the same way."""
    dot = sum(starmap(mul, zip(one, other, strict=True)))
    lengths = sqrt(sum(map(mul, one, one))) * sqrt(sum(map(mul, other, other)))
    return 1.0 if lengths == 0 else 1.0 - dot / lengths
