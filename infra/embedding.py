"""Which embedder makes the vectors: the bundled one, or the one that is set."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infra.embedder.choice import chosen_embedding
from infra.embedder.process import EmbedderProcess
from infra.embedder.provider import ProviderEmbedder
from infra.embedder.source import VectorSource
from infra.llm.client import open_client
from infra.settings import Settings
from processors.ports import TokenCounter


def reader_name(source: VectorSource) -> str:
    """Name who embeds the log with this model: each model has its own place in it."""
    bundled = source.model == EmbedderProcess.model
    return "embed_memory" if bundled else f"embed_memory.{source.model}"


@asynccontextmanager
async def open_embedder(
    settings: Settings, tokens: TokenCounter
) -> AsyncIterator[VectorSource]:
    """Start the bundled embedder, or open the way to the one that is set."""
    chosen = chosen_embedding(settings)
    if chosen is not None:
        async with open_client(chosen.endpoint) as client:
            yield ProviderEmbedder(client, chosen.asked, tokens)
        return
    process = EmbedderProcess()
    await process.start()
    try:
        yield process
    finally:
        await process.stop()
