"""One call of ``log.append``: requests as arrays, verdicts as rows."""

from collections.abc import Sequence
from typing import Any, Final

from commands.ports import ANY
from domain.recorded import Recorded
from infra.postgres.mapper import StructMapper
from infra.postgres.pending import Pending

APPENDED: Final = 0
CONFLICT: Final = 1
DONE_BEFORE: Final = 2
OTHER_HASH: Final = 3

SQL: Final = """
SELECT status, base, first, last, at
FROM log.append(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
)
"""
"""Returns one row for each stream of each request, in order."""

Row = Any


def arguments_of(batch: Sequence[Pending], mapper: StructMapper) -> list[list[Any]]:
    """Seal the drafts of a batch and lay all of it out as the function wants it."""
    rows: list[tuple[Any, ...]] = []
    events: list[tuple[Any, ...]] = []
    newest: dict[str, int] = {}
    for number, pending in enumerate(batch):
        request = pending.request
        command = request.command
        identity = (
            (None, None, None)
            if command is None
            else (command.id, command.request_hash, command.forever)
        )
        for each, shard, drafts in zip(
            request.streams, pending.shards, pending.drafts, strict=True
        ):
            expected = None if each.expected == ANY else each.expected
            previous = newest.get(each.stream.name, 0)
            rows.append(
                (
                    number,
                    previous,
                    request.tenant,
                    each.stream.name,
                    shard,
                    expected,
                    len(drafts),
                    *identity,
                )
            )
            row = newest[each.stream.name] = len(rows)
            for nth, draft in enumerate(drafts, start=1):
                stored = draft.stored or mapper.to_stored_event(draft)
                meta = draft.meta or pending.meta
                events.append((row, nth, stored.topic, draft.id, meta, stored.state))
    return [*map(list, zip(*rows, strict=True)), *map(list, zip(*events, strict=True))]


def recorded_of(pending: Pending, rows: Sequence[Row]) -> list[Recorded]:
    """Return an appended request's events as the log now holds them."""
    recorded: list[Recorded] = []
    request = pending.request
    for shard, drafts, row in zip(pending.shards, pending.drafts, rows, strict=True):
        _, version, position, _, at = row
        for draft in drafts:
            version += 1
            recorded.append(
                Recorded(
                    position=position,
                    stream=draft.originator_id,
                    version=version,
                    tenant=draft.tenant,
                    shard=shard,
                    recorded_at=at,
                    id=draft.id,
                    cause=draft.cause or request.cause,
                    event=draft.event,
                )
            )
            position += 1
    return recorded
