"""The calls of models one run took, as they ended."""

from datetime import datetime

import msgspec

from projections.as_of import NOW
from projections.ports import Connection


class RunCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call: who answered or was asked, what came of it, what it took.

    ``latency`` is in microseconds, ``cost`` in millionths of a dollar, None where the
    model had no price.
    """

    id: str
    feature: str
    transport: str
    model: str
    outcome: str
    reason: str
    fallback: bool
    attempts: int
    input: int
    output: int
    cached: int
    cost: int | None
    latency: int
    finished_at: datetime


async def calls_of_run(
    db: Connection, tenant: str, run: str, as_of: int = NOW
) -> list[RunCall]:
    """Return the calls of a run in the order they ended; none for no run."""
    if not run:
        return []
    columns = ", ".join(RunCall.__struct_fields__)
    rows = await db.fetch(
        f"SELECT {columns} FROM llm_call"  # noqa: S608  our own names
        " WHERE tenant = $1 AND run = $2 AND run <> '' AND position <= $3"
        " ORDER BY position, id",
        tenant,
        run,
        as_of,
    )
    return [
        RunCall(**{name: row[name] for name in RunCall.__struct_fields__})
        for row in rows
    ]
