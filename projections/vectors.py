"""Vectors of messages and conclusions, one collection for each model and size."""

import re
import sys
from array import array
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal

import msgspec

from domain.embedding import EmbeddingRecorded
from domain.recorded import Recorded
from projections.erasable import Erased, delete_rows
from projections.ports import Connection, Row

Kind = Literal["message", "conclusion", "part"]
"""``part``: what follows the first chunk of a message longer than its model reads."""

_CHUNK = 256
_SLUG = 32

_NEAREST = "USING hnsw (embedding vector_cosine_ops) WITH (m = 8, ef_construction = 64)"


class Vectors:
    """The tables ``message_vector_<model>_<dimensions>``, and of other kinds.

    They are made when the first vector of a model comes, and listed in
    ``vector_collection``; those of messages have an HNSW index for cosine distance (up
    to 2,000 dimensions, pgvector's bound), conclusions are compared one by one. The
    index has half of the usual links, so that a vector costs half, and is walked
    further (``infra/postgres/view_readers.py``): as much is found, or more. The
    vectors are joined from the ``embedding`` store on the log's side: a replay never
    asks an embedder. Session, author and place are read from ``message``, which must
    be ahead of this view; ``position`` is where a vector was first recorded. What told
    of a model whose vectors were dropped folds to nothing: such a name is never used
    again.
    """

    name = "vectors"
    version = 6
    tables = """
        CREATE TABLE vector_collection (
            name       text COLLATE "C" NOT NULL,
            kind       text COLLATE "C" NOT NULL,
            model      text COLLATE "C" NOT NULL,
            dimensions integer NOT NULL,
            PRIMARY KEY (name)
        );
    """
    # Once this index is there, new collections get theirs at once: a rebuild, which
    # makes indexes last, fills them without.
    indexes = f"""
        CREATE INDEX vector_collection_model ON vector_collection (model, dimensions);
        DO $$
        DECLARE c record;
        BEGIN
            FOR c IN SELECT name FROM vector_collection
                WHERE dimensions <= 2000 AND kind <> 'conclusion' LOOP
                EXECUTE format(
                    'CREATE INDEX IF NOT EXISTS %I ON %I {_NEAREST}',
                    c.name || '_near', c.name);
            END LOOP;
        END $$;
    """  # noqa: S608  a constant
    handles = (EmbeddingRecorded,)

    async def apply(self, db: Connection, batch: Sequence[Recorded]) -> None:
        groups: dict[tuple[Kind, str, int], list[_Wanted]] = {}
        for recorded in batch:
            event = recorded.event
            if isinstance(event, EmbeddingRecorded):
                for item in event.items:
                    kind: Kind = "part" if item.chunk else item.kind
                    group = (kind, event.model, event.dimensions)
                    groups.setdefault(group, []).append(
                        _Wanted(
                            event.workspace,
                            item.id,
                            item.fingerprint,
                            event.session,
                            recorded.position,
                            item.chunk,
                        )
                    )
        for (kind, model, dimensions), wanted in groups.items():
            table = vector_table(kind, model, dimensions)
            if not await _ensure(db, table, kind, model, dimensions):
                continue
            for start in range(0, len(wanted), _CHUNK):
                chunk = wanted[start : start + _CHUNK]
                await _fill(db, (table, kind, model, dimensions), chunk)

    async def erase(self, db: Connection, erased: Erased) -> None:
        """Take the vectors of what is erased out of every collection."""
        for row in await db.fetch("SELECT name FROM vector_collection"):
            await delete_rows(db, row["name"], erased)


class _Wanted(msgspec.Struct, frozen=True):
    tenant: str
    id: str
    fingerprint: str
    session: str | None
    position: int
    chunk: int


def vector_table(kind: Kind, model: str, dimensions: int) -> str:
    """Return the name of a collection's table: lower letters, digits, underscores.

    A long or odd model name keeps its beginning and gets a piece of its hash, so
    that the name fits and two models never share a table.
    """
    slug = re.sub(r"[^a-z0-9]+", "_", model.lower()).strip("_")
    plain = re.fullmatch(r"[A-Za-z0-9]+([-_./ ][A-Za-z0-9]+)*", model) is not None
    if len(slug) > _SLUG or not plain:
        slug = f"{slug[: _SLUG - 9]}_{sha256(model.encode()).hexdigest()[:8]}"
    return f"{kind}_vector_{slug}_{int(dimensions)}"


async def _ensure(
    db: Connection, table: str, kind: Kind, model: str, dimensions: int
) -> bool:
    """Make a collection's table if it is not there; False if it was dropped."""
    if await db.fetchval(_IS_HERE, table):
        return True
    if await db.fetchval(_IS_DROPPED, model):
        return False
    await db.execute(
        f"CREATE TABLE {table} ({_SHAPES[kind]}, embedding vector({int(dimensions)})"
        f" NOT NULL, PRIMARY KEY ({_KEYS[kind]}))"
    )
    await db.execute(
        "INSERT INTO vector_collection (name, kind, model, dimensions)"
        " VALUES ($1, $2, $3, $4)",
        table,
        kind,
        model,
        dimensions,
    )
    if kind != "conclusion":
        await _index(db, table, dimensions)
    return True


async def _index(db: Connection, table: str, dimensions: int) -> None:
    """Have messages found by their place, and by the nearest of many.

    What a peer holds of another is few enough to be compared one by one.
    """
    await db.execute(f"CREATE INDEX {table}_place ON {table} (tenant, session, seq)")
    if int(dimensions) <= 2000 and await db.fetchval(  # noqa: PLR2004  pgvector's bound
        _IS_HERE, "vector_collection_model"
    ):
        await db.execute(f"CREATE INDEX {table}_near ON {table} {_NEAREST}")


# Here, not further down the search path: a rebuild has the live views there.
_IS_HERE = """
    SELECT to_regclass(quote_ident(current_schema()) || '.' || quote_ident($1))
        IS NOT NULL
"""

_IS_DROPPED = "SELECT EXISTS (SELECT FROM log.dropped_model WHERE model = $1)"


async def _fill(
    db: Connection, collection: tuple[str, Kind, str, int], wanted: list[_Wanted]
) -> None:
    table, kind, model, dimensions = collection
    found = await db.fetch(
        _STORED,
        model,
        [each.tenant for each in wanted],
        [each.id for each in wanted],
        [each.fingerprint for each in wanted],
        dimensions * 4,
        [each.session for each in wanted],
        [each.position for each in wanted],
        [each.chunk for each in wanted],
    )
    first: dict[tuple[str, str, int], Row] = {}
    for row in sorted(found, key=lambda row: int(row["position"])):
        first.setdefault((row["tenant"], row["id"], row["chunk"]), row)
    if rows := list(first.values()):
        await db.execute(
            _INSERTS[kind].format(table=table),
            [row["tenant"] for row in rows],
            [row["id"] for row in rows],
            _numbers([row["vector"] for row in rows]),
            dimensions,
            [row["session"] for row in rows],
            [row["position"] for row in rows],
            *([[row["chunk"] for row in rows]] if kind == "part" else []),
        )


def _numbers(vectors: list[bytes]) -> list[float]:
    """Put float32 little-endian vectors behind each other, losing nothing.

    Sent as one array and cut in Postgres: spelling each out took ten times longer.
    """
    numbers = array("f", b"".join(vectors))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


# One by one: who plans while the store is small would go through all of it for ever.
_STORED = """
    SELECT g.tenant, g.id, g.session, g.position, g.chunk, e.vector
    FROM unnest($2::text[], $3::text[], $4::text[], $6::text[], $7::bigint[],
        $8::int[]) AS g(tenant, id, fingerprint, session, position, chunk)
    CROSS JOIN LATERAL (
        SELECT s.vector FROM log.embedding AS s WHERE s.tenant = g.tenant
            AND s.model = $1 AND s.fingerprint = g.fingerprint LIMIT 1
    ) AS e
    WHERE octet_length(e.vector) = $5
"""

_KEYS: dict[Kind, str] = {
    "message": "tenant, id",
    "conclusion": "tenant, origin",
    "part": "tenant, id, chunk",
}

_OF_MESSAGE = """
        tenant text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL,
        session text COLLATE "C" NOT NULL, seq integer NOT NULL,
        peer text COLLATE "C" NOT NULL, position bigint NOT NULL"""

_SHAPES: dict[Kind, str] = {
    "message": _OF_MESSAGE,
    "part": f"{_OF_MESSAGE}, chunk integer NOT NULL",
    "conclusion": """
        tenant text COLLATE "C" NOT NULL, origin text COLLATE "C" NOT NULL,
        session text COLLATE "C", position bigint NOT NULL""",
}

_INSERTS: dict[Kind, str] = {
    "message": """
        INSERT INTO {table} (tenant, id, session, seq, peer, position, embedding)
        SELECT m.tenant, m.id, m.session, m.seq, m.peer, g.position,
            ($3::float4[])[(g.n - 1) * $4::int + 1 : g.n * $4::int]::vector
        FROM unnest($1::text[], $2::text[], $5::text[], $6::bigint[])
            WITH ORDINALITY AS g(tenant, id, session, position, n)
        JOIN message AS m ON m.tenant = g.tenant AND m.id = g.id
        ON CONFLICT DO NOTHING
    """,
    "part": """
        INSERT INTO {table} (tenant, id, session, seq, peer, position, chunk, embedding)
        SELECT m.tenant, m.id, m.session, m.seq, m.peer, g.position, g.chunk,
            ($3::float4[])[(g.n - 1) * $4::int + 1 : g.n * $4::int]::vector
        FROM unnest($1::text[], $2::text[], $5::text[], $6::bigint[], $7::int[])
            WITH ORDINALITY AS g(tenant, id, session, position, chunk, n)
        JOIN message AS m ON m.tenant = g.tenant AND m.id = g.id
        ON CONFLICT DO NOTHING
    """,
    "conclusion": """
        INSERT INTO {table} (tenant, origin, session, position, embedding)
        SELECT g.tenant, g.id, g.session, g.position,
            ($3::float4[])[(g.n - 1) * $4::int + 1 : g.n * $4::int]::vector
        FROM unnest($1::text[], $2::text[], $5::text[], $6::bigint[])
            WITH ORDINALITY AS g(tenant, id, session, position, n)
        ON CONFLICT DO NOTHING
    """,
}
