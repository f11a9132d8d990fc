"""The questions over HTTP, asked of views folded by hand."""

import math
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
import pytest
from httpx import ASGITransport, AsyncClient, Response

from domain.budget import Budget, BudgetStanding, Spent
from domain.embedding import Embedded, EmbeddingRecorded
from domain.event import Event
from domain.recorded import Recorded
from infra.http.app import AppSettings, create_app
from infra.postgres.embedded import ClusterAddress
from projections.probe import Probe
from projections.registry import LAGGING, PROMPT
from read_api import ROUTES
from tests.support.folding import create, fold
from tests.support.history import START, record

VIEWS = (*PROMPT, *LAGGING)
MODEL = "test-model"


class WordCounter:
    """A token counter that counts words."""

    def count(self, text: str) -> int:
        return len(text.split())


class Pointing:
    """An embedder that knows the angle of some texts; of others, nothing."""

    model = MODEL
    dimensions = 2

    def __init__(self) -> None:
        self.angles: dict[str, float] = {}
        self.asked: list[str] = []

    async def embed_query(self, text: str) -> Probe | None:
        self.asked.append(text)
        if text not in self.angles:
            return None
        return Probe(pointing(self.angles[text]), MODEL, 2)


class Reading:
    """A reranker that is not there, or likes what it was told to like."""

    def __init__(self) -> None:
        self.depth = 0
        self.away = False
        self.likes: list[str] = []
        self.read: list[list[str]] = []

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float] | None:
        assert query
        self.read.append(list(texts))
        if self.away:
            return None
        return [float(any(each in text for each in self.likes)) for text in texts]


class FoldedTo:
    """Views that are as far as they were folded, and come no farther.

    Events were recorded a second apart, as ``record`` has them.
    """

    def __init__(self) -> None:
        self.position = 0
        self.on_the_way: int | None = None
        self.vectors: FoldedTo = self

    async def head(self) -> int:
        return max(self.position, self.on_the_way or 0)

    async def position_at(self, moment: datetime) -> int:
        seconds = math.floor((moment - START).total_seconds())
        return max(0, min(seconds, await self.head()))

    async def wait_for(self, position: int, timeout: float) -> bool:  # noqa: ASYNC109  the port's own bound
        assert 0 < timeout <= 10
        if self.on_the_way is not None:
            self.position = self.on_the_way
        return self.position >= position


class Remembered:
    """The log of what was folded."""

    def __init__(self) -> None:
        self.events: list[Recorded] = []

    async def read_log(self, *, after: int, limit: int) -> Sequence[Recorded]:
        return [each for each in self.events if each.position > after][:limit]

    async def head(self) -> int:
        return len(self.events)


async def unbounded(_workspace: str) -> BudgetStanding:
    """Tell that a workspace has no budget."""
    return BudgetStanding(
        budget=Budget(), spent=Spent(), aside=Spent(), refused=None, at=START
    )


class Asking:
    """An HTTP client of the questions, and the hand that folds events."""

    def __init__(self, pool: asyncpg.Pool, context_max_tokens: int) -> None:
        self.pool = pool
        self.views = FoldedTo()
        self.embedder = Pointing()
        self.log = Remembered()
        self.reranker = Reading()
        tokens = WordCounter()
        asgi = create_app(
            ROUTES,
            {
                "database": pool,
                "views": self.views,
                "log": self.log,
                "query_embedder": self.embedder,
                "message_embedder": self.embedder,
                "reranker": self.reranker,
                "tokens": tokens,
                "find_budget": unbounded,
                "context_max_tokens": context_max_tokens,
            },
            AppSettings(is_ready=lambda: True, count_tokens=tokens.count),
        )
        self.asgi = asgi
        self.http = AsyncClient(
            transport=ASGITransport(asgi, raise_app_exceptions=False),
            base_url="http://palimpsest.test",
        )

    async def happened(self, *events: Event) -> None:
        batch = record(events, after=self.views.position)
        async with self.pool.acquire() as db:
            await fold(db, VIEWS, batch)
        self.log.events += batch
        self.views.position += len(batch)

    async def point(self, kind: Any, angles: dict[str, float], at: str = "w") -> None:
        """Give texts vectors of two dimensions, by their angle."""
        rows = [(at, MODEL, each, pointing(angle)) for each, angle in angles.items()]
        await self.pool.executemany(
            "INSERT INTO log.embedding VALUES ($1, $2, $3, $4)", rows
        )
        items = tuple(Embedded(kind, each, each) for each in angles)
        await self.happened(
            EmbeddingRecorded(
                workspace=at, session=None, model=MODEL, dimensions=2, items=items
            )
        )

    async def get(self, path: str, **query: Any) -> Response:
        return await self.http.get(f"/v3/workspaces{path}", params=query)

    async def post(self, path: str, body: Any = ..., **query: Any) -> Response:
        content = b"" if body is ... else msgspec.json.encode(body)
        return await self.http.post(
            f"/v3/workspaces{path}",
            content=content,
            params=query,
            headers={"content-type": "application/json"},
        )


def pointing(degrees: float) -> bytes:
    angle = math.radians(degrees)
    return array("f", (math.cos(angle), math.sin(angle))).tobytes()


def ids(response: Response) -> Sequence[str]:
    """The ids of a page's or an array's items."""
    assert response.status_code == 200, response.text
    body = response.json()
    items = body if isinstance(body, list) else body["items"]
    return [each["id"] for each in items]


@pytest.fixture
async def ask(database: ClusterAddress) -> AsyncIterator[Asking]:
    async with asking_of(database) as asking:
        yield asking


@asynccontextmanager
async def asking_of(
    database: ClusterAddress, context_max_tokens: int = 100_000, schema: str = "view"
) -> AsyncIterator[Asking]:
    pool = await asyncpg.create_pool(
        database.dsn(),
        min_size=1,
        max_size=2,
        server_settings={"search_path": f"{schema}, public", "jit": "off"},
    )
    async with pool.acquire() as db:
        await db.execute(
            "CREATE EXTENSION IF NOT EXISTS vector SCHEMA public;"
            f"CREATE SCHEMA {schema}; CREATE SCHEMA IF NOT EXISTS log;"
            "CREATE TABLE IF NOT EXISTS log.embedding (tenant text, model text,"
            " fingerprint text, vector bytea);"
            "CREATE TABLE IF NOT EXISTS log.dropped_model (model text)"
        )
        await create(db, VIEWS)
    asking = Asking(pool, context_max_tokens)
    async with asking.http:
        yield asking
    await pool.close()
