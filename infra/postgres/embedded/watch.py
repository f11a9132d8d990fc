"""Ends work that cannot go on because its embedded Postgres is gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infra.postgres.embedded.cluster import EmbeddedPostgres
from infra.postgres.embedded.errors import PostgresEnded


@asynccontextmanager
async def while_alive(server: EmbeddedPostgres) -> AsyncIterator[None]:
    """Cancel the body once the server process is gone, and say so.

    Only the postmaster counts: a backend that is killed comes back by itself. Without
    this, whoever waits for the database would wait for ever.

    Raises:
        PostgresEnded: the process ended during the body.
    """
    body = asyncio.current_task()
    if body is None:
        raise RuntimeError("a task is needed that can be cancelled")
    watch = asyncio.create_task(_cancel_at_the_end(server, body), name="postgres-watch")
    try:
        yield
    finally:
        others = body.uncancel() if watch.done() else body.cancelling()
        watch.cancel()
        # Who else cancelled the body is obeyed first.
        if not server.alive and not others:
            raise PostgresEnded(await server.ended()) from None


async def _cancel_at_the_end(
    server: EmbeddedPostgres, body: asyncio.Task[object]
) -> None:
    await server.ended()
    body.cancel()
