"""Vectors recorded once for each (model, fingerprint of a text), for every replay."""

from collections.abc import Mapping, Sequence

import asyncpg

from infra.postgres.connection import patiently

_PUT = """
INSERT INTO log.embedding (tenant, model, fingerprint, vector)
SELECT $1, $2, f, v FROM unnest($3::text[], $4::bytea[]) AS n (f, v)
ON CONFLICT DO NOTHING
"""

_GET = """
SELECT fingerprint, vector FROM log.embedding
WHERE tenant = $1 AND model = $2 AND fingerprint = ANY ($3::text[])
"""


class EmbeddingStore:
    """Bytes of vectors, as the model gave them; what is there is never replaced.

    Raises:
        EventStoreError: the database could not be reached for a while.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def put_many(
        self, tenant: str, model: str, vectors: Mapping[str, bytes]
    ) -> None:
        """Record vectors by fingerprint, durably; known fingerprints are left alone."""
        if vectors:
            names, values = list(vectors), list(vectors.values())
            await patiently(self._pool.execute, _PUT, tenant, model, names, values)

    async def get_many(
        self, tenant: str, model: str, fingerprints: Sequence[str]
    ) -> dict[str, bytes]:
        """Return the vectors that are recorded, by fingerprint."""
        if not fingerprints:
            return {}
        rows = await patiently(
            self._pool.fetch, _GET, tenant, model, list(fingerprints)
        )
        return {row["fingerprint"]: row["vector"] for row in rows}
