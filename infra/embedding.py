"""Vectors, wired: who makes them, who is asked, and the way from one to another."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import msgspec

from commands.decide import Decide
from infra.background_embedder import BackgroundEmbedder
from infra.embedder.remembered import RememberedQuestions
from infra.folded_views import FoldedViews
from infra.postgres.log import PostgresLog
from infra.reactions import Feeds
from infra.settings import Settings
from infra.text_memory import StoredTexts
from infra.vectors.change import ChangeParts, VectorChange
from infra.vectors.following import Following
from infra.vectors.models import window_of
from infra.vectors.opening import Opened, Source, open_vectors
from infra.vectors.reading import Reading
from infra.vectors.wanting import reader_name
from processors.chunks import Chunking
from processors.embed_memory import EmbedMemory
from processors.living import Living
from processors.ports import TokenCounter


class Vectors(msgspec.Struct, frozen=True):
    """What a server has of its vectors: questions, texts of requests, the change."""

    questions: RememberedQuestions
    texts: StoredTexts
    following: Following
    change: VectorChange
    opened: Opened


class VectorParts(msgspec.Struct, frozen=True):
    """What vectors are wired with."""

    dsn: str
    log: PostgresLog
    lagging: FoldedViews
    feeds: Feeds
    decide: Decide
    tokens: TokenCounter


async def wire_vectors(
    parts: VectorParts, settings: Settings, running: AsyncExitStack, role: str | None
) -> Vectors:
    """Open the models, and prepare their readers; nothing is read yet.

    ``role`` is who is to fill what is set here, None for nobody.
    """
    feeds, tokens = parts.feeds, parts.tokens
    traced = feeds.telemetry.vectors
    opened = await open_vectors(parts.dsn, settings, tokens, running, traced, role=role)
    reader = _reader_of(parts, settings)

    async def start_reader(source: Source) -> asyncio.Task[None]:
        [task] = await feeds.start([Living(reader(source), parts.decide)])
        return task

    log = parts.log
    served = await opened.sources.of(opened.standing.serving)
    reading = Reading(feeds.pool, reader(served).handles)
    following = Following(opened, reading, log.store, start_reader)
    kept = timedelta(days=settings.embedding_keep_former_days)
    needed = ChangeParts(parts.dsn, feeds.pool, log.store, parts.lagging, kept)
    change = VectorChange(following, reading, needed)
    texts = StoredTexts(
        opened.serving, log.embeddings, log.fingerprint, parts.lagging, change.settled
    )
    questions = RememberedQuestions(opened.serving)
    return Vectors(questions, texts, following, change, opened)


def _reader_of(
    parts: VectorParts, settings: Settings
) -> Callable[[Source], EmbedMemory]:
    def reader(source: Source) -> EmbedMemory:
        return EmbedMemory(
            parts.decide,
            BackgroundEmbedder(source.source),
            parts.log.embeddings,
            parts.log.fingerprint,
            name=reader_name(source.known.model),
            messages=settings.embed_messages,
            chunking=Chunking(
                window=window_of(source.known), most=settings.embedding_max_chunks
            ),
        )

    return reader
