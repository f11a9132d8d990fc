"""A request to append on its way: encoded, waiting for its turn and its outcome."""

import asyncio
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from commands.ports import ANY, Appended, AppendRequest
from domain.event import subject_of, tag_of
from infra.codec.cause import encode_cause
from infra.postgres.mapper import Draft, StructMapper

_ENVELOPE = 128  # bytes of a row that are neither data nor meta, roughly


class Pending(msgspec.Struct, eq=False):
    """One request: its drafts by stream, its size in bytes, and who waits for it.

    ``twins`` are requests with the same command id that came while it was under
    way. ``alone`` asks for a commit of its own; ``losses`` counts the connections
    that died under it.
    """

    request: AppendRequest
    names: tuple[str, ...]
    shards: tuple[int, ...]
    drafts: tuple[list[Draft], ...]
    meta: bytes
    size: int
    outcome: asyncio.Future[Appended]
    alone: bool = False
    losses: int = 0
    twins: list["Pending"] = []

    @property
    def decided_upon(self) -> tuple[str, ...]:
        """The streams whose exact version it expects."""
        return tuple(
            each.stream.name for each in self.request.streams if each.expected != ANY
        )

    @property
    def believed(self) -> tuple[str, ...]:
        """The streams others may be decided upon as it leaves them."""
        each = zip(self.request.streams, self.drafts, strict=True)
        return tuple(e.stream.name for e, d in each if d and e.expected != ANY)

    @property
    def written(self) -> tuple[str, ...]:
        """The streams it adds to."""
        each = zip(self.names, self.drafts, strict=True)
        return tuple(name for name, drafts in each if drafts)

    @property
    def unmoved(self) -> tuple[str, ...]:
        """The streams it only expects where they are."""
        each = zip(self.names, self.drafts, strict=True)
        return tuple(name for name, drafts in each if not drafts)

    @property
    def command(self) -> tuple[str, UUID] | None:
        """The key of its command, which happens once."""
        command = self.request.command
        return None if command is None else (self.request.tenant, command.id)

    @property
    def firsts(self) -> list[UUID]:
        """The id of the first event for each of its streams that gets any."""
        return [drafts[0].id for drafts in self.drafts if drafts]

    def resolve(self, appended: Appended) -> None:
        if not self.outcome.done():
            self.outcome.set_result(appended)

    def fail(self, error: Exception) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)


def pend(request: AppendRequest, mapper: StructMapper) -> Pending:
    """Check and encode a request; everything but the sealing is done here.

    Raises:
        ValueError: no events, a stream twice, another tenant's stream, or an event
            that cannot be stored.
    """
    names = tuple(each.stream.name for each in request.streams)
    _check(request, names)
    meta = encode_cause(request.cause)
    size = 0
    drafts: list[list[Draft]] = []
    for each in request.streams:
        stream = each.stream.name
        row: list[Draft] = []
        for number, event in enumerate(each.events):
            split = mapper.split(event)
            size += (
                _ENVELOPE + len(meta) + len(split.clear) + len(split.personal or b"")
            )
            subject = None if split.personal is None else subject_of(event)
            tag = tag_of(event)
            draft = Draft(
                stream, 0, request.tenant, uuid7(), tag, event, split, subject
            )
            if each.causes is not None:
                draft.cause = each.causes[number]
                draft.meta = encode_cause(draft.cause)
            row.append(draft)
        drafts.append(row)
    future = asyncio.get_running_loop().create_future()
    shards = tuple(each.stream.shard for each in request.streams)
    return Pending(request, names, shards, tuple(drafts), meta, size, future)


def _check(request: AppendRequest, names: tuple[str, ...]) -> None:
    if len(names) != 1 and len(set(names)) != len(names):
        raise ValueError("A request names each stream once")
    if not any(each.events for each in request.streams):
        raise ValueError("A request has at least one event")
    for each in request.streams:
        if each.stream.tenant != request.tenant:
            raise ValueError("A request stays within its tenant")
        if each.causes is not None and len(each.causes) != len(each.events):
            raise ValueError("Each event has a cause of its own, or none has")
