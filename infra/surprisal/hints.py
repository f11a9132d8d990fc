"""Finds conclusions that stand out, or says why it found none (RS 6.4)."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from infra.settings.dream import Surprisal
from processors.dream_news import Pair
from processors.surprisal import FindHints, Hints, no_hints
from projections.ports import Database, QueryEmbedder
from projections.vector_sample import Sampled, Sampling, sample_vectors

_LOG: Final = logging.getLogger("palimpsest.dream")

MOST: Final = 10
"""Most hints that are made."""

_CUT: Final = 200
"""Most characters of one."""


def make_hints(
    settings: Surprisal, database: Database, embedder: QueryEmbedder
) -> FindHints:
    """Return what points specialists at outliers, or at nothing where that is off."""
    if not settings.enabled:
        return no_hints
    return SurprisalHints(settings, database, embedder)


class SurprisalHints:
    """Fulfils ``processors.surprisal.FindHints``."""

    def __init__(
        self, settings: Surprisal, database: Database, embedder: QueryEmbedder
    ) -> None:
        self._settings = settings
        self._database = database
        self._embedder = embedder

    async def __call__(self, pair: Pair, position: int) -> Hints:
        """Return what stands out among what was held at a position."""
        settings = self._settings
        sampling = Sampling(
            strategy=settings.sampling_strategy,
            size=settings.sample_size,
            levels=settings.include_levels,
        )
        model = (self._embedder.model, self._embedder.dimensions)
        async with self._database.acquire() as db:
            sample = await sample_vectors(db, pair, model, sampling, position)
        needed = 2 * settings.tree_k
        if len(sample) < needed:
            reason = f"{len(sample)} vectors of {needed} needed"
            _LOG.info("surprisal: no hints: %s", reason)
            return Hints((), reason)
        return Hints(await asyncio.to_thread(_outliers, sample, settings))


def _outliers(sample: Sequence[Sampled], settings: Surprisal) -> tuple[str, ...]:
    import numpy as np  # noqa: PLC0415  with what follows, where it is wanted

    from infra.surprisal.scores import surprisal  # noqa: PLC0415  see above

    points = np.array([each.vector for each in sample], dtype=np.float64)
    scores = surprisal(points, settings.tree_type, settings.tree_k)
    kept = max(1, int(len(sample) * settings.top_percent_surprisal))
    best = np.argsort(-scores, kind="stable")[: min(kept, MOST)]
    return tuple(sample[int(number)].text[:_CUT] for number in best)
