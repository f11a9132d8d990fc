"""Live views over a real log, folded by the projectors of the server."""

from collections.abc import Sequence
from contextlib import asynccontextmanager

from commands.ports import ANY, AppendRequest, StreamAppend
from domain.event import Event
from domain.names import Stream
from infra.postgres.log import PostgresLog
from infra.postgres.views import make_views
from infra.projector import Projector
from projections.registry import LAGGING, PROMPT
from tests.support.law import assert_rebuilt_equals_live
from tests.support.log import CAUSE

PAGE = 2_000


def projector(
    log: PostgresLog, dsn: str, projections=PROMPT, subscribe=None, **options
) -> Projector:
    return Projector(
        dsn,
        log.store,
        subscribe or (lambda after: log.subscription(after, page=PAGE)),
        projections,
        longest_wait=0.1,
        **options,
    )


@asynccontextmanager
async def projecting(log: PostgresLog, dsn: str, *, lawful: bool = True):
    """Run both groups on views made if they are missing; at the end the law holds."""
    assert await make_views(dsn, (*PROMPT, *LAGGING)) == []
    prompt = projector(log, dsn)
    lagging = projector(log, dsn, LAGGING, follows=prompt)
    await prompt.start()
    await lagging.start()
    try:
        yield prompt, lagging
        if lawful:
            await assert_rebuilt_equals_live(dsn, log.store)
    finally:
        await lagging.close()
        await prompt.close()


async def append(log: PostgresLog, events: Sequence[Event]) -> int:
    """Append events as they come, all to one stream; return the last position."""
    stream = Stream("story-w", "w", "w")
    request = AppendRequest("w", (StreamAppend(stream, ANY, tuple(events)),), CAUSE)
    return (await log.store.append(request)).last
