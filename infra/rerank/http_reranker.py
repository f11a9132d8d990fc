"""A reranker over HTTP, in the style of Jina and Cohere, or of TEI."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, Final

import httpx
import msgspec

from infra.rerank.asked import Reranking

_LOG: Final = logging.getLogger("palimpsest.rerank")

_REST: Final = 5.0
"""Seconds nobody is made to wait again for a reranker that failed."""

_TALKATIVE: Final = ("httpx", "httpcore")


class _Result(msgspec.Struct, frozen=True):
    index: int
    relevance_score: float | None = None
    score: float | None = None


class _Results(msgspec.Struct, frozen=True):
    results: list[_Result]


class HttpReranker:
    """Fulfils ``projections.ports.Reranker``.

    Proxies and credentials of the environment are not used, redirects not followed:
    they would carry what is said to another host.
    """

    def __init__(self, client: httpx.AsyncClient, asked: Reranking) -> None:
        self.depth = asked.depth
        self._client = client
        self._asked = asked
        self._rests_until = 0.0

    @staticmethod
    @asynccontextmanager
    async def open(asked: Reranking) -> "AsyncIterator[HttpReranker]":
        """Open connections of its own; closed at the end."""
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        headers = {"User-Agent": "palimpsest"}
        if asked.api_key is not None:
            headers["Authorization"] = f"Bearer {asked.api_key.get_secret_value()}"
        async with httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=asked.within,
            headers=headers,
        ) as client:
            yield HttpReranker(client, asked)

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float] | None:
        """Return how well each text answers, None when it does not say in time."""
        if monotonic() < self._rests_until:
            return None
        try:
            async with asyncio.timeout(self._asked.within):
                answer = await self._client.post(
                    self._asked.url, json=self._body(query, texts)
                )
            answer.raise_for_status()
            return self._scores(answer.content, len(texts))
        except (
            TimeoutError,
            httpx.HTTPError,
            httpx.InvalidURL,
            msgspec.DecodeError,
            ValueError,
        ) as error:
            # Their texts may quote what was asked.
            _LOG.warning("the reranker is away: %s", type(error).__name__)
            self._rests_until = monotonic() + _REST
            return None

    def _body(self, query: str, texts: Sequence[str]) -> dict[str, Any]:
        cut = [text[: self._asked.characters] or " " for text in texts]
        if self._asked.wire == "tei":
            return {"query": query, "texts": cut, "truncate": True}
        body = {"query": query, "documents": cut, "top_n": len(cut)}
        return (
            body if self._asked.model is None else body | {"model": self._asked.model}
        )

    def _scores(self, content: bytes, count: int) -> list[float]:
        """Read an answer, and check that it says something of every text."""
        if self._asked.wire == "tei":
            found = msgspec.json.decode(content, type=list[_Result])
        else:
            found = msgspec.json.decode(content, type=_Results).results
        scores: dict[int, float] = {}
        for each in found:
            value = each.score if each.relevance_score is None else each.relevance_score
            if value is None or not math.isfinite(value):
                raise ValueError("a text without a score")
            scores[each.index] = value
        if scores.keys() != set(range(count)):
            raise ValueError("not a score for each text")
        return [scores[n] for n in range(count)]
