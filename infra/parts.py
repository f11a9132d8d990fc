"""What several parts of a server need, opened once."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import asyncpg
import msgspec

from commands.decide import Decide
from commands.write import Write
from infra.embedding import VectorParts, Vectors, wire_vectors
from infra.folded_views import FoldedViews
from infra.limits import limits_of
from infra.postgres.log import PostgresLog
from infra.postgres.view_readers import open_view_readers
from infra.random_id import random_id
from infra.reach import StoredReach
from infra.reactions import Feeds
from infra.rerank.choice import open_reranker
from infra.settings import Settings
from infra.tokens.counter import O200kCounter
from infra.view_history import ViewHistory
from infra.woken_derivation import WokenDerivation
from projections.ports import Reranker


def now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


class Parts(msgspec.Struct, frozen=True):
    """What several of the wired need, opened once."""

    log: PostgresLog
    write: Write
    prompt: FoldedViews
    lagging: FoldedViews
    views: ViewHistory
    readers: asyncpg.Pool
    tokens: O200kCounter
    woken: WokenDerivation
    vectors: Vectors
    reranker: Reranker
    dsn: str


def reach_of(parts: Parts) -> StoredReach:
    """Return who finds all that something reaches."""
    return StoredReach(parts.log, parts.readers, parts.prompt)


async def open_parts(
    opened: tuple[str, PostgresLog, tuple[FoldedViews, FoldedViews], Feeds],
    settings: Settings,
    running: AsyncExitStack,
    *,
    fills: str | None,
) -> Parts:
    """Open the rest of them upon a log, its views and its feeds.

    ``fills`` is the role that fills collections of vectors here, None for nobody.
    """
    dsn, log, views, feeds = opened
    tokens = O200kCounter()
    await asyncio.to_thread(tokens.load)
    write = Write(
        Decide(log.store),
        store=log.store,
        views=views[0],
        clock=now,
        new_id=random_id,
        tokens=tokens,
        limits=limits_of(settings),
    )
    readers = await running.enter_async_context(open_view_readers(dsn))
    return Parts(
        log,
        write,
        *views,
        ViewHistory(*views, log.store),
        readers,
        tokens,
        WokenDerivation(feeds.pool),
        await wire_vectors(
            VectorParts(dsn, log, views[1], feeds, write.decide, tokens),
            settings,
            running,
            fills,
        ),
        await open_reranker(settings, running),
        dsn,
    )
