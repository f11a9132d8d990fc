"""Tells of damaged events whether they are of what is erased, or just being erased.

The log says so in columns that are not damaged: what ends a stream, and what begins the
erasure of a session or a workspace, from which on nobody adds to it.
"""

from collections.abc import Sequence
from typing import Final

import asyncpg
import msgspec

from domain.names import ordering_key_of, session_stream, workspace_stream
from domain.recorded import Recorded
from infra.codec.damaged import Damaged
from infra.codec.gone import Gone
from infra.codec.salvage import salvage

_GOING: Final = """
SELECT d.position FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[])
    AS d (position, stream, session, workspace)
WHERE EXISTS (SELECT FROM log.event AS e
        WHERE e.stream = d.stream AND e.position > d.position
        AND e.type IN ('stream-erased', 'session-erased', 'workspace-erased'))
    OR EXISTS (SELECT FROM log.event AS e
        WHERE e.stream = d.session AND e.position > d.position
        AND e.type IN ('session-erasure-begun', 'session-erased'))
    OR EXISTS (SELECT FROM log.event AS e
        WHERE e.stream = d.workspace AND e.position > d.position
        AND e.type IN ('workspace-erasure-begun', 'workspace-erased'))
"""

_PARTS_OF_SESSION: Final = 2


class Going:
    """Asks the log what became of damaged events."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def settle(self, opened: list[Recorded]) -> list[Recorded]:
        """Return the same; for what erases what it tells, for what goes ``Gone``."""
        if not any(isinstance(each.event, Damaged) for each in opened):
            return opened
        told = [_told(each) for each in opened]
        damaged = [each for each in told if isinstance(each.event, Damaged)]
        going = await self._going(damaged) if damaged else set()
        return [
            msgspec.structs.replace(each, event=Gone(workspace=each.tenant))
            if each.position in going
            else each
            for each in told
        ]

    async def _going(self, damaged: Sequence[Recorded]) -> set[int]:
        rows = await self._pool.fetch(
            _GOING,
            [each.position for each in damaged],
            [each.stream for each in damaged],
            [_session_of(each) for each in damaged],
            [workspace_stream(each.tenant).name for each in damaged],
        )
        return {row["position"] for row in rows}


def _told(recorded: Recorded) -> Recorded:
    """Return what an event of erasure tells though it is damaged."""
    event = salvage(recorded)
    return recorded if event is None else msgspec.structs.replace(recorded, event=event)


def _session_of(recorded: Recorded) -> str:
    """Return the stream of the session an event is of, empty if it is of none."""
    names = ordering_key_of(recorded.stream).split("/")
    return session_stream(*names).name if len(names) == _PARTS_OF_SESSION else ""
