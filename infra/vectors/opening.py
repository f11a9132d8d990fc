"""What a start finds: whose vectors serve, and whose are to be filled."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

import asyncpg
import msgspec

from infra.embedder.serving import Serving, Unreachable
from infra.embedder.source import VectorSource
from infra.settings import Settings
from infra.vectors.ledger import CollectionLedger, Known
from infra.vectors.models import BUNDLED, Wanted, open_known, open_wanted, wanted_model
from processors.ports import TokenCounter

Traced = Callable[[VectorSource], VectorSource]

# Before collections were on record, each model had a reader of its own.
_BEFORE: Final = """
SELECT DISTINCT c.model, c.dimensions, w.position
FROM view.vector_collection AS c JOIN work.checkpoint AS w ON w.processor
    = CASE c.model WHEN $1 THEN 'embed_memory' ELSE 'embed_memory.' || c.model END
ORDER BY w.position DESC, c.model
"""


class Source(msgspec.Struct, frozen=True):
    """A collection, and who makes its vectors; closed for itself."""

    known: Known
    source: VectorSource
    running: AsyncExitStack


class Opened(msgspec.Struct, frozen=True):
    """Who serves, and what is to be filled, if that is another."""

    ledger: CollectionLedger
    serving: Serving
    served: Source
    filling: Source | None


def reader_name(model: str) -> str:
    """Name who embeds the log with this model: each model has its own place in it."""
    return "embed_memory" if model == BUNDLED else f"embed_memory.{model}"


async def open_vectors(
    pool: asyncpg.Pool,
    settings: Settings,
    tokens: TokenCounter,
    running: AsyncExitStack,
    traced: Traced,
) -> Opened:
    """Open the model whose vectors serve, and beside it the one that is set.

    Where none serves yet, the one that is set does; where one does, it goes on until
    the other's vectors are complete. ``pool`` may change the processors' tables;
    ``traced`` surrounds each source by what tells of its calls.
    """
    ledger = CollectionLedger(pool)
    wanted, all_known = wanted_model(settings), await ledger.all()
    target = _named(wanted, all_known)
    before = next((each for each in all_known if each.state == "serving"), None)
    if before is None:
        before = await _before(pool, target)
        await ledger.serve(before)
    if before.model == target.model:
        served = msgspec.structs.replace(before, asked=target.asked)
        await ledger.keep(served)
        source = await _open_wanted(wanted, served, tokens, running)
        source = msgspec.structs.replace(source, source=traced(source.source))
        serving = Serving(source.source, served.since)
        return Opened(ledger, serving, source, None)
    await ledger.fill(target)
    stack = await running.enter_async_context(AsyncExitStack())
    knows = open_known(before, settings, tokens)
    former = await stack.enter_async_context(knows)
    if not isinstance(former, Unreachable):
        former = traced(former)
    filling = await _open_wanted(wanted, target, tokens, running)
    filling = msgspec.structs.replace(filling, source=traced(filling.source))
    served_by = Source(before, former, stack)
    return Opened(ledger, Serving(former, before.since), served_by, filling)


async def _open_wanted(
    wanted: Wanted, known: Known, tokens: TokenCounter, running: AsyncExitStack
) -> Source:
    stack = await running.enter_async_context(AsyncExitStack())
    source = await stack.enter_async_context(open_wanted(wanted, known.model, tokens))
    return Source(known, source, stack)


def _named(wanted: Wanted, all_known: list[Known]) -> Known:
    """Return the collection of a model: the newest, or another if that was dropped."""
    found = [each for each in all_known if each.base == wanted.base]
    newest = max(found, key=lambda each: each.generation, default=None)
    if newest is not None and newest.state != "dropped":
        return msgspec.structs.replace(newest, asked=wanted.asked)
    generation = 1 if newest is None else newest.generation + 1
    return Known(
        model=wanted.base if generation == 1 else f"{wanted.base}#{generation}",
        base=wanted.base,
        generation=generation,
        dimensions=wanted.dimensions,
        state="filling",
        since=0,
        asked=wanted.asked,
    )


async def _before(pool: asyncpg.Pool, target: Known) -> Known:
    """Return what served before anything was on record; where nothing did, the target.

    That is the model that had come the farthest.
    """
    rows = await pool.fetch(_BEFORE, BUNDLED)
    if not rows or rows[0]["model"] == target.model:
        return target
    return Known(
        model=rows[0]["model"],
        base=rows[0]["model"],
        generation=1,
        dimensions=rows[0]["dimensions"],
        state="serving",
        since=0,
        asked={},
    )
