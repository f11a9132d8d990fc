"""Evidence recall of ranking alone on LoCoMo: ``python -m tests.bench.locomo_ranking``.

Folds each conversation of ``../shared/data/locomo-dev.json`` (read where it lies)
straight into the views of a database of its own, with vectors from the bundled
embedder, and asks every question of workspace search without HTTP: a minute instead
of many, for tuning. Prints recall at 5, 10, 20 and 50, by category, and the time of
one search; ``--words`` leaves the vectors out.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import asyncpg

from domain.embedding import Embedded, EmbeddingRecorded, embedding_text
from domain.event import Event
from domain.session import MessageAdded
from infra.embedder.process import EmbedderProcess
from infra.postgres.embedded import EmbeddedPostgres
from projections.lexicon import Lexicon
from projections.message_search import Question, search_messages
from projections.messages import Messages
from projections.probe import Probe
from projections.vectors import Vectors
from projections.withheld import Withheld
from tests.bench.locomo import CATEGORIES, CUTS, DATA, turns
from tests.support.folding import create, fold
from tests.support.history import record

_CHUNK = 200


def spoken(workspace: str, conversation: dict) -> Iterable[MessageAdded]:
    for session, messages in turns(conversation):
        for seq, message in enumerate(messages, start=1):
            yield MessageAdded(
                workspace=workspace,
                session=session,
                id=message["metadata"]["dia_id"],
                seq=seq,
                author=message["peer_id"],
                created_at=datetime.fromisoformat(message["created_at"]),
                tokens=1,
                content=message["content"],
            )


async def embedded(
    db: asyncpg.Connection, embedder: EmbedderProcess, said: list[MessageAdded]
) -> list[Event]:
    """Put the vectors into the log's store; return the events that tell of them."""
    events: list[Event] = []
    for start in range(0, len(said), _CHUNK):
        chunk = said[start : start + _CHUNK]
        vectors = await embedder.embed(
            [embedding_text(each.author, each.content) for each in chunk]
        )
        stored = [
            (each.workspace, embedder.model, f"{each.id}", vector)
            for each, vector in zip(chunk, vectors, strict=True)
        ]
        await db.executemany(
            "INSERT INTO log.embedding VALUES ($1, $2, $3, $4)", stored
        )
        items = tuple(
            Embedded(kind="message", id=e.id, fingerprint=e.id) for e in chunk
        )
        events.append(
            EmbeddingRecorded(
                workspace=chunk[0].workspace,
                session=None,
                model=embedder.model,
                dimensions=embedder.dimensions,
                items=items,
            )
        )
    return events


@asynccontextmanager
async def fresh_views() -> AsyncIterator[asyncpg.Connection]:
    with tempfile.TemporaryDirectory(prefix="palimpsest-ranking-") as folder:
        server = EmbeddedPostgres(Path(folder))
        address = await server.start()
        try:
            db = await asyncpg.connect(address.dsn())
            await db.execute(
                "CREATE EXTENSION vector SCHEMA public; CREATE SCHEMA log;"
                "CREATE TABLE log.embedding (tenant text, model text,"
                " fingerprint text, vector bytea);"
                "CREATE TABLE log.dropped_model (model text); CREATE SCHEMA view;"
                "SET search_path TO view, public"
            )
            yield db
            await db.close()
        finally:
            await server.stop()


async def load(
    db: asyncpg.Connection, embedder: EmbedderProcess, data: list, *, words: bool
) -> None:
    views = [Messages(), Withheld(), Lexicon(), Vectors()]
    await create(db, views)
    events: list[Event] = []
    for number, each in enumerate(data):
        said = list(spoken(f"w{number}", each["conversation"]))
        events += said
        if not words:
            events += await embedded(db, embedder, said)
    await fold(db, views, record(events))
    await db.execute("VACUUM ANALYZE")


async def measure(
    db: asyncpg.Connection, embedder: EmbedderProcess, data: list, *, words: bool
) -> None:
    recalls: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    seconds: list[float] = []
    for number, each in enumerate(data):
        there = {said.id for said in spoken("", each["conversation"])}
        for asked in each["qa"]:
            evidence = there & {e.strip() for e in asked.get("evidence") or ()}
            if not evidence:
                continue
            query = asked["question"]
            vector = None if words else await embedder.embed_query(query)
            probe = vector and Probe(vector, embedder.model, embedder.dimensions)
            question = Question(
                tenant=f"w{number}", query=query, limit=max(CUTS), probe=probe or None
            )
            began = time.perf_counter()
            found = [scored.id for scored in await search_messages(db, question)]
            seconds.append(time.perf_counter() - began)
            for cut in CUTS:
                share = len(evidence & set(found[:cut])) / len(evidence)
                recalls["all"][cut].append(share)
                recalls[CATEGORIES[asked["category"]]][cut].append(share)
    for name, by_cut in recalls.items():
        figures = "  ".join(
            f"R@{cut} {100 * sum(shares) / len(shares):5.1f}"
            for cut, shares in by_cut.items()
        )
        print(f"{name:12} {len(by_cut[CUTS[0]]):4}  {figures}")
    seconds.sort()
    middle, late = seconds[len(seconds) // 2], seconds[len(seconds) * 95 // 100]
    print(f"one search: p50 {1e6 * middle:.0f} µs, p95 {1e6 * late:.0f} µs")


async def main(*, words: bool) -> None:
    if not DATA.exists():
        sys.exit(f"{DATA} is not there: this benchmark reads it where it lies")
    data = json.loads(DATA.read_text())
    embedder = EmbedderProcess()
    await embedder.start()
    try:
        async with fresh_views() as db:
            await load(db, embedder, data, words=words)
            await measure(db, embedder, data, words=words)
    finally:
        await embedder.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", action="store_true", help="leave the vectors out")
    asyncio.run(main(words=parser.parse_args().words))
