"""Which reranker there is, from settings alone."""

from contextlib import AsyncExitStack

from infra.rerank.asked import Reranking
from infra.rerank.nobody import NoReranker
from infra.settings import Settings
from projections.ports import Reranker


async def open_reranker(settings: Settings, running: AsyncExitStack) -> Reranker:
    """Open the way to the reranker that is set, until the stack ends."""
    if settings.rerank_url is None:
        return NoReranker()
    from infra.rerank.http_reranker import HttpReranker  # noqa: PLC0415  its httpx

    asked = Reranking(
        url=settings.rerank_url,
        wire=settings.rerank_wire,
        model=settings.rerank_model,
        api_key=settings.rerank_api_key,
        depth=settings.rerank_depth,
        characters=settings.rerank_max_text_characters,
        within=settings.rerank_timeout_seconds,
    )
    return await running.enter_async_context(HttpReranker.open(asked))
