"""Vectors, wired: who makes them, who is asked, and the way from one to another."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import msgspec

from commands.decide import Decide
from infra.background_embedder import BackgroundEmbedder
from infra.embedder.remembered import RememberedQuestions
from infra.postgres.log import PostgresLog
from infra.projector import Projector
from infra.reactions import Feeds
from infra.settings import Settings
from infra.text_memory import StoredTexts
from infra.vectors.change import ChangeParts, VectorChange
from infra.vectors.models import window_of
from infra.vectors.opening import Opened, Source, open_vectors, reader_name
from processors.chunks import Chunking
from processors.embed_memory import EmbedMemory
from processors.living import Living
from processors.ports import TokenCounter


class Vectors(msgspec.Struct, frozen=True):
    """What a server has of its vectors: questions, texts of requests, the change."""

    questions: RememberedQuestions
    texts: StoredTexts
    change: VectorChange
    opened: Opened


class VectorParts(msgspec.Struct, frozen=True):
    """What vectors are wired with."""

    dsn: str
    log: PostgresLog
    lagging: Projector
    feeds: Feeds
    decide: Decide
    tokens: TokenCounter


async def wire_vectors(
    parts: VectorParts, settings: Settings, running: AsyncExitStack
) -> Vectors:
    """Open the models, and prepare their readers; nothing is read yet."""
    feeds, tokens = parts.feeds, parts.tokens
    traced = feeds.telemetry.vectors
    opened = await open_vectors(feeds.pool, settings, tokens, running, traced)
    reader = _reader_of(parts, settings)

    async def start_reader(source: Source) -> asyncio.Task[None]:
        [task] = await parts.feeds.start([Living(reader(source), parts.decide)])
        return task

    log = parts.log
    change = VectorChange(
        opened,
        ChangeParts(
            dsn=parts.dsn,
            pool=parts.feeds.pool,
            log=log.store,
            folding=parts.lagging,
            start_reader=start_reader,
            handles=reader(opened.served).handles,
            keep_former=timedelta(days=settings.embedding_keep_former_days),
        ),
    )
    texts = StoredTexts(
        opened.serving, log.embeddings, log.fingerprint, parts.lagging, change.settled
    )
    return Vectors(RememberedQuestions(opened.serving), texts, change, opened)


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
